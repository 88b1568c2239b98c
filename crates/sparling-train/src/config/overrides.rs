//! `--set section.key=value`.

use toml::{Table, Value};

use super::RunConfigError;

/// Sets `section.key` to a TOML value, or to a string if it is none.
pub(super) fn apply(table: &mut Table, setting: &str) -> Result<(), RunConfigError> {
    let wrong =
        |message: &str| RunConfigError::Override(format!("--set {setting}"), message.to_owned());
    let (path, text) = setting
        .split_once('=')
        .ok_or_else(|| wrong("expected key=value"))?;
    let value = format!("value = {text}")
        .parse::<Table>()
        .ok()
        .and_then(|mut parsed| parsed.remove("value"))
        .or_else(|| number(text))
        .unwrap_or_else(|| Value::String(text.to_owned()));
    let mut keys: Vec<&str> = path.trim().split('.').collect();
    let last = keys
        .pop()
        .filter(|key| !key.is_empty())
        .ok_or_else(|| wrong("the key is empty"))?;
    let mut section = table;
    for key in keys {
        section = section
            .get_mut(key)
            .and_then(Value::as_table_mut)
            .ok_or_else(|| wrong(&format!("there is no section `{key}`")))?;
    }
    if text.trim().is_empty() {
        section
            .remove(last)
            .ok_or_else(|| wrong(&format!("there is no `{last}` to take out")))?;
    } else {
        section.insert(last.to_owned(), value);
    }
    Ok(())
}

/// A number that TOML would write otherwise, as `.001` and `1.`.
fn number(text: &str) -> Option<Value> {
    let number: f64 = text.trim().parse().ok()?;
    let is_plain = text.contains('.') && number.is_finite();
    is_plain.then_some(Value::Float(number))
}

/// The setting whose key an error names, if it is one's.
pub(super) fn to_blame<'a>(settings: &'a [String], message: &str) -> Option<&'a str> {
    let named = |setting: &&String| {
        let key = setting.split_once('=').map_or("", |(key, _)| key.trim());
        !key.is_empty() && message.contains(&format!("`{key}`"))
    };
    settings.iter().rev().find(named).map(String::as_str)
}
