//! How the configuration that a run goes on with differs from the one that it was saved with.

use std::collections::BTreeMap;
use std::fmt;

use serde::Serialize;
use serde_json::Value;

/// A value that was changed.
#[derive(Clone, Debug, PartialEq, Serialize)]
pub struct Change {
    /// Training samples seen.
    pub samples: u64,
    /// The key.
    pub key: String,
    /// Its value when the run was saved; `None` if it had none.
    pub was: Option<Value>,
    /// Its value from now on.
    pub is: Option<Value>,
}

impl Change {
    /// All changes between two configurations, by key.
    pub fn all(samples: u64, was: &Value, is: &Value) -> Vec<Self> {
        let [was, is] = [was, is].map(|value| {
            let mut leaves = BTreeMap::new();
            flatten(String::new(), value, &mut leaves);
            leaves
        });
        let mut keys: Vec<&String> = was.keys().chain(is.keys()).collect();
        keys.sort();
        keys.dedup();
        let changed = keys.into_iter().filter(|key| was.get(*key) != is.get(*key));
        changed
            .map(|key| Self {
                samples,
                key: key.clone(),
                was: was.get(key).cloned().cloned(),
                is: is.get(key).cloned().cloned(),
            })
            .collect()
    }
}

impl fmt::Display for Change {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let show =
            |value: &Option<Value>| value.as_ref().map_or("absent".to_owned(), Value::to_string);
        write!(
            f,
            "{} was {} and is {}",
            self.key,
            show(&self.was),
            show(&self.is)
        )
    }
}

fn flatten<'a>(key: String, value: &'a Value, leaves: &mut BTreeMap<String, &'a Value>) {
    match value {
        Value::Object(fields) => {
            for (name, value) in fields {
                let dot = if key.is_empty() { "" } else { "." };
                flatten(format!("{key}{dot}{name}"), value, leaves);
            }
        }
        leaf => {
            leaves.insert(key, leaf);
        }
    }
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    #[test]
    fn changes_are_named_by_key() {
        let was = json!({ "seed": 1, "training": { "batch_size": 5, "clip": 1.0 } });
        let is = json!({ "seed": 1, "training": { "batch_size": 10, "warmup": 7 } });
        let changes = Change::all(100, &was, &is);
        let said: Vec<String> = changes.iter().map(Change::to_string).collect();
        assert_eq!(
            said,
            [
                "training.batch_size was 5 and is 10",
                "training.clip was 1.0 and is absent",
                "training.warmup was absent and is 7",
            ]
        );
        assert_eq!(Change::all(100, &was, &was), []);
    }
}
