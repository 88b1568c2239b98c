//! Numbers given as options.

/// More examples than any measurement needs.
const MOST_EXAMPLES: usize = 100_000_000;

/// A number of examples to measure by.
pub(super) fn examples(text: &str) -> Result<usize, String> {
    match text.parse() {
        Ok(number) if (1..=MOST_EXAMPLES).contains(&number) => Ok(number),
        _ => Err(format!("expected a whole number from 1 to {MOST_EXAMPLES}")),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn nothing_is_measured_by_no_examples() {
        assert_eq!(examples("1000"), Ok(1000));
        for wrong in ["0", "-1", "1e3", "18446744073709551615", "100000001"] {
            assert!(examples(wrong).is_err(), "{wrong}");
        }
    }
}
