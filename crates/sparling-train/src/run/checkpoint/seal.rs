//! The checksum that a checkpoint's JSON carries of itself.

use serde_json::Value;

/// The key of the checksum.
const KEY: &str = "crc32";

/// The CRC-32 of a JSON without its own checksum: of its compact text, with sorted keys.
pub(super) fn checksum(json: &Value) -> u32 {
    let mut json = json.clone();
    if let Some(fields) = json.as_object_mut() {
        fields.remove(KEY);
    }
    crc32fast::hash(json.to_string().as_bytes())
}

/// Why a JSON is not the one that was saved; `None` if it is, or if it is from before there were checksums.
pub(super) fn broken(json: &Value) -> Option<String> {
    let expected = json.get(KEY)?.as_u64();
    let found = checksum(json);
    (expected != Some(u64::from(found))).then(|| {
        format!(
            "its contents have the CRC-32 {found}, but its `{KEY}` is {}",
            json[KEY]
        )
    })
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    #[test]
    fn what_was_changed_shows() {
        let mut json = json!({ "samples": 405, "density": 0.1, "losses": [0.3] });
        assert_eq!(broken(&json), None);
        json[KEY] = checksum(&json).into();
        assert_eq!(broken(&json), None);
        let written = serde_json::to_string_pretty(&json).unwrap();
        assert_eq!(broken(&serde_json::from_str(&written).unwrap()), None);
        json["samples"] = 404.into();
        assert!(broken(&json).unwrap().contains("CRC-32"));
        json[KEY] = "none".into();
        assert!(broken(&json).is_some());
    }
}
