//! A text with places to fill in, which are written `@name@`.

use std::collections::BTreeMap;

/// A template, with what has been filled in so far.
pub(super) struct Template {
    text: &'static str,
    values: BTreeMap<&'static str, String>,
}

impl Template {
    pub(super) fn new(text: &'static str) -> Self {
        Self {
            text,
            values: BTreeMap::new(),
        }
    }

    pub(super) fn set(&mut self, place: &'static str, value: impl ToString) {
        self.values.insert(place, value.to_string());
    }

    /// The text with everything filled in.
    ///
    /// # Panics
    ///
    /// If a place has no value.
    pub(super) fn filled(&self) -> String {
        let parts = self.text.split('@').enumerate();
        let filled = parts.map(|(index, part)| match index % 2 {
            0 => part,
            _ => {
                let value = self.values.get(part);
                value.unwrap_or_else(|| panic!("nothing to fill @{part}@ in with"))
            }
        });
        filled.collect()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn places_are_filled_in_once() {
        let mut template = Template::new("a = @a@ # @why@\nb = @a@\n");
        template.set("a", 0.5);
        template.set("why", "@a@");
        assert_eq!(template.filled(), "a = 0.5 # @a@\nb = 0.5\n");
    }
}
