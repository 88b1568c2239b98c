//! The channels' pages as one file that needs nothing else.

use anyhow::Result;
use serde::Serialize;

use super::channels::{ChannelPage, Channels};
use super::reading::{self, ShownChannel};
use crate::run::trained::Trained;

/// What the file shows.
#[derive(Serialize)]
struct Saved {
    pages: Vec<ChannelPage>,
    channels: Vec<ShownChannel>,
}

/// Measures a model's channels, and writes their pages as HTML. Its domain must be prepared.
///
/// # Errors
///
/// If the run's folder cannot be read any more, or a patch cannot be encoded.
pub fn channels_page(title: &str, model: &Trained) -> Result<String> {
    let measured = Channels::measure(model, &model.evaluator())?;
    let saved = Saved {
        channels: reading::channels_of(model, Some(&measured)),
        pages: measured.pages,
    };
    Ok(page(title, &serde_json::to_string(&saved)?))
}

/// The page with its data, style and script in it.
fn page(title: &str, data: &str) -> String {
    let title = escaped(title);
    // Nothing in the data may end the element that it stands in.
    let data = data.replace('<', "\\u003c");
    format!(
        "<!doctype html>\n<html lang=\"en\">\n<meta charset=\"utf-8\">\n\
         <meta name=\"viewport\" content=\"width=device-width, initial-scale=1\">\n\
         <title>{title}</title>\n<style>\n{style}</style>\n<header><strong>{title}</strong></header>\n\
         <main id=\"channels\"></main>\n<script type=\"application/json\" id=\"saved\">{data}</script>\n\
         <script type=\"module\">\n{dom}{channels}showSaved();\n</script>\n</html>\n",
        style = include_str!("page/page.css"),
        dom = plain(include_str!("page/dom.js")),
        channels = plain(include_str!("page/channels.js")),
    )
}

/// A module's text as a part of another one: what it imports is there already.
fn plain(module: &str) -> String {
    let lines = module.lines().filter(|line| !line.starts_with("import "));
    let lines = lines.map(|line| line.strip_prefix("export ").unwrap_or(line));
    lines.fold(String::new(), |text, line| text + line + "\n")
}

fn escaped(text: &str) -> String {
    let text = text.replace('&', "&amp;").replace('<', "&lt;");
    text.replace('"', "&quot;")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_page_needs_nothing_else_and_its_data_cannot_end_it() {
        let page = page("a <b>", "{\"symbol\":\"</script>\"}");
        assert!(page.contains("<title>a &lt;b></title>"));
        assert!(page.contains("\\u003c/script>"));
        let script = page.split_once("type=\"module\"").map(|(_, script)| script);
        let script = script.expect("it has a script");
        assert!(
            !script.contains("import ") && !script.contains("export "),
            "{script}"
        );
        assert_eq!(page.matches("</script>").count(), 2);
        for elsewhere in ["src=\"/", "href=\"/page", "http://", "https://"] {
            let page = page.replace("http://www.w3.org/2000/svg", "");
            assert!(!page.contains(elsewhere), "{elsewhere}");
        }
    }
}
