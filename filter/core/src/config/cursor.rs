//! A position in the tree of a configuration: each step knows its path, and notes errors instead of ending at the
//! first.
//!
//! A reading function returns `None` after it has noted an error; its caller keeps the default and goes on.
//!
//! These functions run once, and are called from a hundred places: a function that must not be inlined is marked, and a
//! generic function passes its closure to one copy without the type parameter, because otherwise the copies would make
//! the guest longer.

use alloc::format;
use alloc::string::{String, ToString};
use alloc::vec::Vec;

use super::error::{Errors, Path};
use super::suggest::nearest;
use super::tree::{JsonNode, Value};
use crate::codec::quote::quoted;

/// A value, its path, and the list for its errors.
#[derive(Clone, Copy)]
pub(super) struct Cursor<'a> {
    pub(super) node: &'a JsonNode,
    pub(super) path: Path<'a>,
    pub(super) errors: &'a Errors,
}

impl<'a> Cursor<'a> {
    /// Notes an error of this value.
    #[cold]
    pub(super) fn error(self, message: impl Into<String>) {
        self.errors
            .add(self.node.place, self.path, || message.into());
    }

    /// Notes that another value was expected, and quotes the value.
    #[cold]
    #[inline(never)]
    pub(super) fn expected(self, expected: &str) {
        self.errors.add(self.node.place, self.path, || {
            let cure = match self.node.value {
                Value::Null => "; leave the key out for its default",
                _ => "",
            };
            format!("expected {expected}, found {}{cure}", self.describe())
        });
    }

    /// Notes that another value was expected, and names only the kind of the value, which may be secret.
    #[cold]
    #[inline(never)]
    pub(super) fn expected_quietly(self, expected: &str) {
        self.errors.add(self.node.place, self.path, || {
            format!("expected {expected}, found {}", self.kind())
        });
    }

    /// Notes that an object was expected. Text in its place may be anything, such as a whole file or a URL with a
    /// password, and is not quoted.
    #[cold]
    #[inline(never)]
    fn expected_object(self) {
        match &self.node.value {
            // A path or a pattern is a match written short.
            Value::String(text) if !text.starts_with('/') && !text.contains('*') => {
                self.expected_quietly(AN_OBJECT);
            }
            _ => self.expected(AN_OBJECT),
        }
    }

    /// Reads an object with known keys, and returns true if it is an object. `each` gets every known key with its
    /// value.
    pub(super) fn object(
        self,
        known: &[&'static str],
        mut each: impl FnMut(&'static str, Cursor<'_>),
    ) -> bool {
        self.object_once(known, &mut each)
    }

    #[inline(never)]
    fn object_once(
        self,
        known: &[&'static str],
        each: &mut dyn FnMut(&'static str, Cursor<'_>),
    ) -> bool {
        let Value::Object(pairs) = &self.node.value else {
            self.expected_object();
            return false;
        };
        let mut seen = Vec::new();
        for (key, node) in pairs {
            let at = self.below(key, node);
            let Some(name) = known.iter().find(|name| **name == key.as_str()) else {
                self.errors
                    .add(node.place, at.path, || match nearest(key, known) {
                        Some(name) => format!("unknown key; did you mean `{name}`?"),
                        None => format!("unknown key; known here: {}", known.join(", ")),
                    });
                continue;
            };
            match seen.contains(name) {
                true => at.error(REPEATED),
                false => seen.push(*name),
            }
            each(name, at);
        }
        true
    }

    /// Reads an object of at most `limit` keys that the user has named.
    pub(super) fn map(self, limit: usize, mut each: impl FnMut(&str, Cursor<'_>)) -> bool {
        self.names_once(limit, &mut each)
    }

    #[inline(never)]
    fn names_once(self, limit: usize, each: &mut dyn FnMut(&str, Cursor<'_>)) -> bool {
        let Value::Object(pairs) = &self.node.value else {
            self.expected_object();
            return false;
        };
        if pairs.len() > limit {
            self.error(format!(
                "expected at most {limit} keys, found {}",
                pairs.len()
            ));
        }
        for (place, (key, node)) in pairs.iter().take(limit).enumerate() {
            let at = self.below(key, node);
            if pairs.iter().take(place).any(|(other, _)| other == key) {
                at.error(REPEATED);
            }
            each(key, at);
        }
        true
    }

    /// Reads a list of at most `limit` different values, and returns their number.
    pub(super) fn list(
        self,
        what: &str,
        limit: usize,
        mut each: impl FnMut(Cursor<'_>),
    ) -> Option<usize> {
        self.list_once(what, limit, &mut each)
    }

    #[inline(never)]
    fn list_once(
        self,
        what: &str,
        limit: usize,
        each: &mut dyn FnMut(Cursor<'_>),
    ) -> Option<usize> {
        let Value::List(nodes) = &self.node.value else {
            self.expected(&format!("a list of {what}"));
            return None;
        };
        if nodes.len() > limit {
            self.error(format!(
                "expected at most {limit} {what}, found {}",
                nodes.len()
            ));
        }
        let mut seen: Vec<&JsonNode> = Vec::new();
        for (index, node) in nodes.iter().take(limit).enumerate() {
            let at = Cursor {
                node,
                path: Path::Index(&self.path, index),
                errors: self.errors,
            };
            if let Some(first) = seen.iter().position(|other| other.is_same(node)) {
                at.error(format!("repeats entry {first} of the list"));
            }
            seen.push(node);
            each(at);
        }
        Some(nodes.len())
    }

    /// Returns the value of a key of this object.
    #[inline(never)]
    pub(super) fn get<'b>(&'b self, key: &'b str) -> Option<Cursor<'b>> {
        let Value::Object(pairs) = &self.node.value else {
            return None;
        };
        let (_, node) = pairs.iter().find(|(name, _)| name == key)?;
        Some(self.below(key, node))
    }

    /// Notes an error if this object lacks a key.
    #[inline(never)]
    pub(super) fn required(self, key: &str) {
        if self.get(key).is_none() {
            self.error(format!("expected the key {key}, found none"));
        }
    }

    /// Returns true if this is an object.
    pub(super) fn is_object(self) -> bool {
        matches!(self.node.value, Value::Object(_))
    }

    /// Notes an error for an empty list or object, which says nothing. A value of another kind has its error already.
    #[inline(never)]
    pub(super) fn not_empty(self) {
        let is_empty = match &self.node.value {
            Value::List(nodes) => nodes.is_empty(),
            Value::Object(pairs) => pairs.is_empty(),
            _ => false,
        };
        if is_empty {
            self.error("expected at least one entry, found none");
        }
    }

    /// Visits the entries of a list.
    pub(super) fn each(self, mut each: impl FnMut(usize, Cursor<'_>)) {
        if let Value::List(nodes) = &self.node.value {
            for (index, node) in nodes.iter().enumerate() {
                each(
                    index,
                    Cursor {
                        node,
                        path: Path::Index(&self.path, index),
                        errors: self.errors,
                    },
                );
            }
        }
    }

    /// Reads text.
    pub(super) fn text(self) -> Option<&'a str> {
        self.text_for("a string")
    }

    /// Reads text with a further meaning, which `expected` names.
    #[inline(never)]
    pub(super) fn text_for(self, expected: &str) -> Option<&'a str> {
        match &self.node.value {
            Value::String(text) => return Some(text),
            Value::Number(_) | Value::Boolean(_) => {
                self.error(format!(
                    "expected {expected}, found {}; quote it",
                    self.describe()
                ));
            }
            _ => self.expected(expected),
        }
        None
    }

    /// Reads text that no error repeats.
    #[inline(never)]
    pub(super) fn secret(self, expected: &str) -> Option<&'a str> {
        match &self.node.value {
            Value::String(text) => return Some(text),
            Value::Number(_) | Value::Boolean(_) => {
                self.error(format!(
                    "expected {expected}, found {}; quote it",
                    self.kind()
                ));
            }
            _ => self.expected_quietly(expected),
        }
        None
    }

    /// Reads `true` or `false`.
    #[inline(never)]
    pub(super) fn boolean(self) -> Option<bool> {
        match &self.node.value {
            Value::Boolean(value) => return Some(*value),
            Value::String(text) if text == "true" || text == "false" => {
                self.error(format!(
                    "expected true or false, found {}; leave the quotes out",
                    quoted(text)
                ));
            }
            _ => self.expected("true or false"),
        }
        None
    }

    /// Reads one of a few words.
    pub(super) fn choice<T: Copy>(self, words: &[(&'static str, T)]) -> Option<T> {
        let names: Vec<_> = words.iter().map(|(name, _)| *name).collect();
        let expected = match names.as_slice() {
            [] => String::new(),
            [only] => only.to_string(),
            [others @ .., last] => format!("{} or {last}", others.join(", ")),
        };
        let text = self.text_for(&expected)?;
        let found = words.iter().find(|(name, _)| *name == text);
        if found.is_none() {
            match nearest(text, &names) {
                Some(name) => {
                    self.error(format!(
                        "expected {expected}, found {}; did you mean `{name}`?",
                        quoted(text)
                    ));
                }
                None => self.expected(&expected),
            }
        }
        found.map(|(_, value)| *value)
    }

    /// Returns the value, short enough for a log line. Text that may hold a password or a token, as URLs and pairs of
    /// name and value do, is not repeated.
    #[inline(never)]
    pub(super) fn describe(self) -> String {
        match &self.node.value {
            Value::String(text) if text.contains(['@', '=']) => self.kind().into(),
            Value::Boolean(value) => value.to_string(),
            Value::Number(number) => number.to_string(),
            Value::String(text) => quoted(text),
            _ => self.kind().into(),
        }
    }

    /// Returns the kind of the value.
    pub(super) fn kind(self) -> &'static str {
        match &self.node.value {
            Value::Null => "null",
            Value::Boolean(_) => "a boolean",
            Value::Number(_) => "a number",
            Value::String(_) => "a string",
            Value::List(_) => "a list",
            Value::Object(_) => "an object",
        }
    }

    fn below<'b>(&'b self, key: &'b str, node: &'b JsonNode) -> Cursor<'b> {
        Cursor {
            node,
            path: Path::Key(&self.path, key),
            errors: self.errors,
        }
    }
}

const AN_OBJECT: &str = "an object";
const REPEATED: &str = "repeated key";
