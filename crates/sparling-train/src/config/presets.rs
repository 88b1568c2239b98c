//! The experiment files that the program carries.

use std::fmt::Write as _;

use super::RunConfigError;

macro_rules! preset {
    ($domain:literal, $preset:literal) => {
        (
            $domain,
            $preset,
            include_str!(concat!("../../presets/", $domain, "-", $preset, ".toml")),
        )
    };
}

const PRESETS: [(&str, &str, &str); 9] = [
    preset!("digitcircle", "small"),
    preset!("digitcircle", "full"),
    preset!("digitcircle", "paper"),
    preset!("audiomnist", "small"),
    preset!("audiomnist", "full"),
    preset!("audiomnist", "paper"),
    preset!("latexocr", "small"),
    preset!("latexocr", "full"),
    preset!("latexocr", "paper"),
];

/// The domain and the name of each preset.
pub fn preset_names() -> impl Iterator<Item = [&'static str; 2]> {
    PRESETS.iter().map(|(domain, name, _)| [*domain, *name])
}

/// The text of a preset.
pub(super) fn text(domain: &str, preset: &str) -> Result<&'static str, RunConfigError> {
    let mut known = String::new();
    for (of, name, text) in PRESETS.iter().filter(|(of, ..)| *of == domain) {
        if *name == preset {
            return Ok(text);
        }
        let separator = if known.is_empty() { "" } else { ", " };
        let _ = write!(known, "{separator}{name}");
        debug_assert_eq!(*of, domain);
    }
    if known.is_empty() {
        return Err(RunConfigError::Domain(domain.to_owned()));
    }
    Err(RunConfigError::Preset {
        domain: domain.to_owned(),
        preset: preset.to_owned(),
        known,
    })
}
