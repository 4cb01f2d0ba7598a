//! The walk through a resource, key by key beside its schema.

use std::collections::BTreeSet;

use super::cure;
use super::kinds::Kind;
use super::rule;
use super::schema::{Field, Schema, Shape};
use crate::check::input::document::Document;

/// The walk through one resource, and the errors that it found: paths and sentences.
pub(super) struct Judge<'a> {
    kind: &'a Kind,
    // The keys from the resource to the value, without places in lists.
    keys: Vec<String>,
    pub(super) errors: Vec<(String, String)>,
}

impl<'a> Judge<'a> {
    pub(super) fn new(kind: &'a Kind) -> Self {
        Self {
            kind,
            keys: Vec::new(),
            errors: Vec::new(),
        }
    }

    pub(super) fn error(&mut self, path: impl Into<String>, message: impl Into<String>) {
        self.errors.push((path.into(), message.into()));
    }

    /// Judges a value at a path.
    pub(super) fn value(&mut self, schema: &Schema, value: &Document, path: &str) {
        match (&schema.shape, value) {
            (Shape::Object(fields), Document::Object(pairs)) => self.object(fields, pairs, path),
            (Shape::Map { values, most }, Document::Object(pairs)) => {
                self.at_most(*most, pairs.len(), "keys", path);
                for (key, value) in pairs.iter().filter(|(_, value)| *value != Document::Null) {
                    self.value(values, value, &below(path, key));
                }
            }
            (Shape::List { items, most, key }, Document::List(list)) => {
                self.at_most(*most, list.len(), "entries", path);
                for (index, value) in list.iter().enumerate() {
                    self.value(items, value, &format!("{path}[{index}]"));
                }
                if let Some(key) = key {
                    self.distinct(key, list, path);
                }
            }
            (
                Shape::Text {
                    least,
                    most,
                    pattern,
                },
                Document::String(text),
            ) => {
                let length = text.chars().count();
                if length < *least {
                    self.error(path, "expected text, found an empty one");
                } else if let Some(message) = pattern.and_then(|pattern| pattern.broken(text)) {
                    self.error(path, message);
                } else {
                    self.at_most(*most, length, "characters", path);
                }
            }
            (Shape::Word(words), Document::String(text)) => {
                if !words.contains(&text.as_str()) {
                    self.error(path, cure::other_word(self.key(), text, words));
                }
            }
            (Shape::Integer { least, most }, Document::Number(number)) => {
                // An API server takes 1000.0 for 1000.
                let whole = number.as_f64().filter(|number| number.fract() == 0.0);
                let bounds = *least as f64..=*most as f64;
                if !whole.is_some_and(|number| bounds.contains(&number)) {
                    self.error(path, format!("expected an integer from {least} to {most}"));
                }
            }
            // The only number of these kinds is Telemetry's percentage, of which `istio::settings` says all.
            (Shape::Number { .. }, _) => {}
            (Shape::Free, Document::Object(_)) | (Shape::Boolean, Document::Boolean(_)) => {}
            (_, Document::Null) if schema.is_nullable => {}
            _ => return self.error(path, cure::other_type(self.key(), schema, value)),
        }
        for rule in schema.rules {
            if let Some((key, message)) = rule::broken(*rule, value) {
                let dot = if key.is_empty() { "" } else { "." };
                self.error(format!("{path}{dot}{key}"), message);
            }
        }
    }

    fn object(&mut self, fields: &[Field], pairs: &[(String, Document)], path: &str) {
        for (index, (key, value)) in pairs.iter().enumerate() {
            let at = below(path, key);
            if pairs.iter().take(index).any(|(other, _)| other == key) {
                self.error(at, "repeated key");
                continue;
            }
            let Some(field) = fields.iter().find(|field| field.name == key) else {
                let keys: Vec<_> = self.keys.iter().map(String::as_str).collect();
                self.error(at, cure::unknown(self.kind, &keys, fields, key));
                continue;
            };
            // An API server takes null for a key that is left out.
            if *value != Document::Null {
                self.keys.push(key.clone());
                self.value(&field.schema, value, &at);
                self.keys.pop();
            }
        }
        for field in fields.iter().filter(|field| field.is_required) {
            let is_there =
                |(key, value): &(String, Document)| key == field.name && *value != Document::Null;
            if !pairs.iter().any(is_there) {
                self.error(below(path, field.name), cure::missing(field.name));
            }
        }
    }

    fn distinct(&mut self, key: &str, list: &[Document], path: &str) {
        let mut seen = BTreeSet::new();
        for (index, entry) in list.iter().enumerate() {
            if let Some(value) = entry.get(key).filter(|value| **value != Document::Null)
                && !seen.insert(value.to_json())
            {
                self.error(
                    format!("{path}[{index}].{key}"),
                    format!("repeats the {key} of an entry before; each may stand once"),
                );
            }
        }
    }

    fn at_most(&mut self, most: usize, found: usize, what: &str, path: &str) {
        if found > most {
            self.error(
                path,
                format!("expected at most {most} {what}, found {found}"),
            );
        }
    }

    fn key(&self) -> &str {
        self.keys.last().map_or("", String::as_str)
    }
}

/// Returns the path of a key below a path.
pub(super) fn below(path: &str, key: &str) -> String {
    let is_plain = |character: char| character.is_ascii_alphanumeric() || character == '_';
    match key.chars().all(is_plain) {
        true => format!("{path}.{key}"),
        false => format!("{path}[{key:?}]"),
    }
}
