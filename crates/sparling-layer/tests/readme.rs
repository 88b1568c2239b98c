//! The example in the readmes is the one in the crate's documentation, which is compiled and run.

/// The lines of the first block that begins with an import, but those that rustdoc hides. Each line
/// has a prefix.
fn example<'a>(text: &'a str, prefix: &str) -> Vec<&'a str> {
    let lines = text.lines().filter_map(|line| {
        let line = line.strip_prefix(prefix)?;
        Some(line.strip_prefix(' ').unwrap_or(line))
    });
    lines
        .skip_while(|line| !line.starts_with("use "))
        .take_while(|line| *line != "```")
        .filter(|line| !line.starts_with("# "))
        .collect()
}

#[test]
fn readmes_show_the_documented_example() {
    let documented = example(include_str!("../src/lib.rs"), "//!");
    assert!(documented.len() > 5, "{documented:?}");
    let readme = example(include_str!("../README.md"), "");
    assert_eq!(readme, documented);
    // Not there in the published package.
    let workspace = concat!(env!("CARGO_MANIFEST_DIR"), "/../../README.md");
    if let Ok(readme) = std::fs::read_to_string(workspace) {
        assert_eq!(example(&readme, ""), documented);
    }
}
