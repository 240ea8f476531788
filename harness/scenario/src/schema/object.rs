//! Schemas of objects with a fixed set of keys.

use serde_json::{Map, Value, json};

/// An object schema that grows key by key.
#[derive(Default)]
pub(super) struct Object {
    description: Option<String>,
    properties: Map<String, Value>,
    required: Vec<&'static str>,
}

impl Object {
    pub(super) fn describe(mut self, doc: &str) -> Self {
        self.description = Some(doc.into());
        self
    }

    pub(super) fn optional(mut self, key: &str, value: Value) -> Self {
        self.properties.insert(key.into(), value);
        self
    }

    pub(super) fn required(mut self, key: &'static str, value: Value) -> Self {
        self.required.push(key);
        self.optional(key, value)
    }

    /// The object is the one whose `key` has this name.
    pub(super) fn named(self, key: &'static str, name: &str, doc: &str) -> Self {
        let first = doc.trim().split("\n\n").next().unwrap_or_default();
        self.describe(first).required(key, json!({ "const": name }))
    }

    /// No key is required any more.
    pub(super) fn all_optional(mut self) -> Self {
        self.required.clear();
        self
    }

    pub(super) fn build(self) -> Value {
        let mut object = json!({
            "type": "object",
            "properties": self.properties,
            "required": self.required,
            "additionalProperties": false,
        });
        if let Some(description) = self.description {
            object["description"] = description.into();
        }
        object
    }
}
