//! A page of tables and figures that needs nothing but itself, and each of them as a file.

use std::collections::BTreeSet;
use std::fmt::Write as _;
use std::fs;
use std::path::{Path, PathBuf};

use anyhow::{Context, Result};
use base64::prelude::{BASE64_STANDARD, Engine};

use super::drawing::save_png;
use crate::files::atomic;

/// What a page is made of, from top to bottom.
#[derive(Debug, Default)]
pub struct Page {
    title: String,
    body: String,
    /// Files beside the page, and what is in them.
    files: Vec<(PathBuf, String)>,
    /// The names of figures, tables and headings so far.
    names: BTreeSet<String>,
}

/// A table of words and numbers.
#[derive(Clone, Debug, Default, PartialEq)]
pub(super) struct Table {
    /// What stands above the columns.
    header: Vec<String>,
    /// The rows, as long as the header.
    pub(super) rows: Vec<Vec<String>>,
}

const STYLE: &str = "\
:root{color-scheme:light}body{margin:0 auto;padding:1.5rem;max-width:75rem;font:16px/1.55 \
system-ui,sans-serif;color:#191919;background:#fff}h1,h2,h3{line-height:1.25;margin:2.2rem 0 .6rem}\
h1{margin-top:0}p{max-width:46rem}.wide{overflow-x:auto;margin:1rem 0}table{border-collapse:collapse;\
font-variant-numeric:tabular-nums;font-size:.92rem}th,td{padding:.3rem .7rem;text-align:right;\
white-space:nowrap;border-bottom:1px solid #dadada}th:first-child,td:first-child{text-align:left}\
thead th{border-bottom:2px solid #6e6e6e}figure{margin:1.4rem 0}figure svg,figure img{max-width:100%;\
height:auto}.panels{display:grid;grid-template-columns:repeat(auto-fill,minmax(min(100%,28rem),1fr));\
gap:.5rem}.panels svg{width:100%}figcaption{font-size:.92rem;color:#444;max-width:46rem}\
code{font-size:.92em}nav a{margin-right:1rem}";

impl Page {
    /// An empty page.
    pub fn new(title: &str) -> Self {
        Self {
            title: title.to_owned(),
            ..Self::default()
        }
    }

    /// A heading of level 2 or 3.
    pub(super) fn heading(&mut self, level: u8, text: &str) {
        let id = self.unique("heading", &file_name(text));
        let text = escape(text);
        let _ = writeln!(self.body, "<h{level} id=\"{id}\">{text}</h{level}>");
    }

    /// A table under a caption, kept as CSV and Markdown too.
    pub(super) fn table(&mut self, name: &str, caption: &str, table: &Table) {
        let name = self.unique("table", name);
        let file = |extension: &str| Path::new("tables").join(format!("{name}.{extension}"));
        self.files.push((file("csv"), table.csv()));
        self.files.push((file("md"), table.markdown()));
        let _ = writeln!(
            self.body,
            "<div class=\"wide\">{}</div>\n<p>{}</p>",
            table.html(),
            escape(caption)
        );
    }

    /// A figure of one or several panels over a caption, each kept as SVG and PNG too.
    pub(super) fn figure(&mut self, name: &str, caption: &str, panels: Vec<String>) {
        let caption = escape(caption);
        let _ = writeln!(
            self.body,
            "<figure role=\"img\" aria-label=\"{caption}\"><div class=\"panels\">{}</div>\
             <figcaption>{caption}</figcaption></figure>",
            panels.concat()
        );
        let name = self.unique("figure", name);
        let alone = panels.len() == 1;
        for (index, panel) in panels.into_iter().enumerate() {
            let file = match alone {
                true => format!("{name}.svg"),
                false => format!("{name}-{}.svg", index + 1),
            };
            self.files.push((Path::new("figures").join(file), panel));
        }
    }

    /// A PNG over a caption.
    pub(super) fn picture(&mut self, caption: &str, png: &[u8]) {
        let caption = escape(caption);
        let data = BASE64_STANDARD.encode(png);
        let _ = writeln!(
            self.body,
            "<figure><img alt=\"{caption}\" src=\"data:image/png;base64,{data}\">\
             <figcaption>{caption}</figcaption></figure>"
        );
    }

    /// A link to a page of its own, kept in a folder beside this one.
    pub(super) fn link(&mut self, text: &str, name: &str, page: String) {
        let file = Path::new("pages").join(format!("{name}.html"));
        let _ = writeln!(
            self.body,
            "<p><a href=\"{}\">{}</a></p>",
            escape(&file.to_string_lossy()),
            escape(text)
        );
        self.files.push((file, page));
    }

    /// Writes the page as `report.html` in a folder, and all else beside it.
    ///
    /// # Errors
    ///
    /// If a file cannot be written.
    pub fn save(&self, folder: &Path) -> Result<()> {
        for (name, contents) in &self.files {
            let path = folder.join(name);
            let part = path.parent().unwrap_or(folder);
            fs::create_dir_all(part).with_context(|| format!("cannot make {}", part.display()))?;
            atomic::write(&path, contents.as_bytes())?;
            if path.extension().is_some_and(|extension| extension == "svg") {
                save_png(&path.with_extension("png"), contents)?;
            }
        }
        Ok(atomic::write(
            &folder.join("report.html"),
            self.html().as_bytes(),
        )?)
    }

    /// A name of this kind, with a number where it is taken: names may differ in letters that files cannot have.
    fn unique(&mut self, kind: &str, name: &str) -> String {
        let numbered = (2..).map(|number| format!("{name}-{number}"));
        let mut candidates = std::iter::once(name.to_owned()).chain(numbered);
        candidates
            .find(|candidate| self.names.insert(format!("{kind} {candidate}")))
            .expect("there are more numbers than names")
    }

    fn html(&self) -> String {
        let title = escape(&self.title);
        format!(
            "<!doctype html>\n<html lang=\"en\">\n<head>\n<meta charset=\"utf-8\">\n\
             <meta name=\"viewport\" content=\"width=device-width, initial-scale=1\">\n\
             <title>{title}</title>\n<style>{STYLE}</style>\n</head>\n<body>\n<h1>{title}</h1>\n\
             {}</body>\n</html>\n",
            self.body
        )
    }
}

impl Table {
    /// An empty table.
    pub fn new(header: &[&str]) -> Self {
        Self {
            header: header.iter().map(|name| (*name).to_owned()).collect(),
            rows: Vec::new(),
        }
    }

    fn html(&self) -> String {
        let row = |cells: &[String], tag: &str| {
            let cells = cells
                .iter()
                .map(|cell| format!("<{tag}>{}</{tag}>", escape(cell)));
            format!("<tr>{}</tr>", cells.collect::<String>())
        };
        let rows: String = self.rows.iter().map(|cells| row(cells, "td")).collect();
        format!(
            "<table><thead>{}</thead><tbody>{rows}</tbody></table>",
            row(&self.header, "th")
        )
    }

    /// Comma-separated, every cell in quotes.
    fn csv(&self) -> String {
        let line = |cells: &[String]| {
            let cells: Vec<String> = cells
                .iter()
                .map(|cell| format!("\"{}\"", harmless(cell).replace('"', "\"\"")))
                .collect();
            cells.join(",") + "\n"
        };
        let rows: String = self.rows.iter().map(|cells| line(cells)).collect();
        line(&self.header) + &rows
    }

    fn markdown(&self) -> String {
        let line = |cells: &[String]| {
            let cells: Vec<String> = cells.iter().map(|cell| cell.replace('|', "\\|")).collect();
            format!("| {} |\n", cells.join(" | "))
        };
        let rows: String = self.rows.iter().map(|cells| line(cells)).collect();
        let rule = format!("|{}\n", "---|".repeat(self.header.len()));
        line(&self.header) + &rule + &rows
    }
}

/// A cell that no spreadsheet takes for a formula.
fn harmless(cell: &str) -> String {
    let formula = cell.starts_with(['=', '+', '-', '@', '\t', '\r']);
    match formula && cell != "-" && cell.parse::<f64>().is_err() {
        true => format!("'{cell}"),
        false => cell.to_owned(),
    }
}

/// A name for files and links.
pub(super) fn file_name(text: &str) -> String {
    let letters = text.chars().map(|letter| match letter {
        'A'..='Z' | 'a'..='z' | '0'..='9' | '.' => letter.to_ascii_lowercase(),
        _ => '-',
    });
    letters.collect()
}

fn escape(text: &str) -> String {
    text.replace('&', "&amp;")
        .replace('<', "&lt;")
        .replace('>', "&gt;")
        .replace('"', "&quot;")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn tables_quote_what_would_break_them() {
        let mut table = Table::new(&["a", "b"]);
        table.rows.push(vec!["x|\"y\"".to_owned(), "<1".to_owned()]);
        assert_eq!(table.csv(), "\"a\",\"b\"\n\"x|\"\"y\"\"\",\"<1\"\n");
        assert_eq!(
            table.markdown(),
            "| a | b |\n|---|---|\n| x\\|\"y\" | <1 |\n"
        );
        assert!(
            table
                .html()
                .contains("<td>x|&quot;y&quot;</td><td>&lt;1</td>")
        );
    }

    #[test]
    fn no_cell_is_a_formula() {
        for cell in ["-", "-0.5", "+1e3", "a=b", "12"] {
            assert_eq!(harmless(cell), cell);
        }
        for cell in ["=1+1", "@sum", "-a", "+b", "\t=c"] {
            assert_eq!(harmless(cell), format!("'{cell}"));
        }
    }

    #[test]
    fn no_file_is_written_over_another() {
        let mut page = Page::new("names");
        for name in ["--", "--", "---2", "a-b", "a-b"] {
            page.figure(name, "", vec![String::new()]);
        }
        let mut names: Vec<_> = page.files.iter().map(|(name, _)| name).collect();
        names.dedup();
        assert_eq!(names.len(), 5, "{names:?}");
    }

    #[test]
    fn a_page_needs_nothing_but_itself() {
        let folder = tempfile::tempdir().unwrap();
        let mut page = Page::new("a & b");
        page.heading(2, "Part 1");
        let svg = "<svg xmlns=\"http://www.w3.org/2000/svg\" width=\"9\" height=\"9\"></svg>";
        page.figure("one", "a figure", vec![svg.to_owned()]);
        page.table("two", "a table", &Table::new(&["a"]));
        page.save(folder.path()).unwrap();
        let html = fs::read_to_string(folder.path().join("report.html")).unwrap();
        assert!(html.contains("<title>a &amp; b</title>") && html.contains(svg));
        assert!(!html.contains("<script") && !html.contains("src=\"http"));
        for file in [
            "figures/one.svg",
            "figures/one.png",
            "tables/two.csv",
            "tables/two.md",
        ] {
            assert!(folder.path().join(file).exists(), "{file}");
        }
    }
}
