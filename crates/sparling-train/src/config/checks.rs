//! Ranges of single values.

use super::RunConfigError;

pub(super) fn require(
    holds: bool,
    key: &str,
    wanted: &str,
    value: impl ToString,
) -> Result<(), RunConfigError> {
    if holds {
        return Ok(());
    }
    Err(RunConfigError::Range {
        key: key.to_owned(),
        wanted: wanted.to_owned(),
        value: value.to_string(),
    })
}

pub(super) fn share(key: &str, value: f64) -> Result<(), RunConfigError> {
    let fraction = value > 0.0 && value <= 1.0;
    require(fraction, key, "above 0 and at most 1", value)
}

pub(super) fn not_negative(key: &str, value: f64) -> Result<(), RunConfigError> {
    let possible = value >= 0.0 && value.is_finite();
    require(possible, key, "at least 0", value)
}

pub(super) fn above_zero(key: &str, value: f64) -> Result<(), RunConfigError> {
    let possible = value > 0.0 && value.is_finite();
    require(possible, key, "above 0", value)
}

pub(super) fn at_least_one(key: &str, value: usize) -> Result<(), RunConfigError> {
    require(value > 0, key, "at least 1", value)
}
