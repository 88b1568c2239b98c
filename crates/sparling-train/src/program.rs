//! What this program is called, so that its hints can be typed as they are.

/// The environment variable in which whatever starts the program says how it was started.
pub const VARIABLE: &str = "SPARLING_PROGRAM";

/// How the user starts this program.
pub fn name() -> String {
    std::env::var(VARIABLE).unwrap_or_else(|_| "sparling".to_owned())
}

/// A word as a POSIX shell reads it back, whatever is in it.
pub fn quoted(word: &str) -> String {
    let plain =
        |character: char| character.is_ascii_alphanumeric() || "-_./=,:+@%".contains(character);
    match !word.is_empty() && word.chars().all(plain) {
        true => word.to_owned(),
        false => format!("'{}'", word.replace('\'', r"'\''")),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn words_are_quoted_where_a_shell_would_read_something_else() {
        assert_eq!(quoted("runs/a-1.toml"), "runs/a-1.toml");
        assert_eq!(quoted("my runs"), "'my runs'");
        assert_eq!(quoted("$(touch x)"), "'$(touch x)'");
        assert_eq!(quoted("it's"), r"'it'\''s'");
        assert_eq!(quoted(""), "''");
    }
}
