//! Channels by letters, so that nobody takes them for digits.

/// `A` to `Z`, then `AA`, `AB` and so on: letters, to tell motifs from digits.
pub fn channel_name(channel: usize) -> String {
    let letter = char::from(b'A' + (channel % 26) as u8);
    match channel / 26 {
        0 => letter.to_string(),
        rest => channel_name(rest - 1) + &letter.to_string(),
    }
}

/// The channel of a name.
pub fn channel_number(name: &str) -> Option<usize> {
    let digits = name.bytes().map(|letter| {
        letter
            .is_ascii_uppercase()
            .then(|| usize::from(letter - b'A') + 1)
    });
    let number = digits.reduce(|before, digit| before?.checked_mul(26)?.checked_add(digit?));
    number.flatten().map(|number| number - 1)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn names_are_read_back() {
        for channel in [0, 9, 25, 26, 31, 52, 701, 702] {
            assert_eq!(channel_number(&channel_name(channel)), Some(channel));
        }
        for wrong in ["", "a", "A1", "ZZZZZZZZZZZZZZZZZZZZ"] {
            assert_eq!(channel_number(wrong), None);
        }
    }

    #[test]
    fn channels_have_letters() {
        let names: Vec<_> = [0, 9, 25, 26, 31, 52].map(channel_name).into();
        assert_eq!(names, ["A", "J", "Z", "AA", "AF", "BA"]);
    }
}
