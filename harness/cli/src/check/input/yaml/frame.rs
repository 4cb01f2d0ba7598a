//! Lists and objects that are not complete, around the event that is being read.

use std::collections::HashSet;

use crate::check::input::document::Document;

/// A value, with the weight by which repetitions are counted, and its depth.
#[derive(Clone)]
pub(super) struct Node {
    pub(super) value: Document,
    pub(super) weight: usize,
    pub(super) depth: usize,
}

/// A list or an object that is not complete.
pub(super) struct Frame {
    pub(super) anchor: usize,
    pub(super) weight: usize,
    pub(super) depth: usize,
    pub(super) content: Content,
}

/// The values of a list or an object so far.
pub(super) enum Content {
    List(Vec<Document>),
    Object(Pairs),
}

/// The pairs of an object so far, and the key of the next.
#[derive(Default)]
pub(super) struct Pairs {
    pub(super) pairs: Vec<(String, Document)>,
    pub(super) key: Option<Key>,
    pub(super) key_line: usize,
    // Keys in objects that are too long for a search from the front.
    known: HashSet<String>,
    merged: HashSet<String>,
}

/// A key whose value is not complete.
pub(super) enum Key {
    Text(String),
    Merge,
    Refused,
}

impl Pairs {
    /// Adds a pair, and returns the key if it stands there twice. The later of two pairs stays, as in go-yaml.
    pub(super) fn insert(
        &mut self,
        key: String,
        value: Document,
        is_merged: bool,
    ) -> Option<String> {
        if self.has(&key) {
            let was_merged = self.merged.remove(&key);
            if let Some((_, old)) = self.pairs.iter_mut().find(|(name, _)| *name == key) {
                *old = value;
            }
            return Some(key).filter(|_| !was_merged && !is_merged);
        }
        if is_merged {
            self.merged.insert(key.clone());
        }
        if self.pairs.len() >= SEARCHED {
            if self.known.is_empty() {
                self.known = self.pairs.iter().map(|(name, _)| name.clone()).collect();
            }
            self.known.insert(key.clone());
        }
        self.pairs.push((key, value));
        None
    }

    fn has(&self, key: &str) -> bool {
        match self.known.is_empty() {
            true => self.pairs.iter().any(|(name, _)| name == key),
            false => self.known.contains(key),
        }
    }

    /// Adds the pairs behind a merge key, and returns false if they are none. In a list the earlier object counts.
    pub(super) fn merge(&mut self, value: Document) -> bool {
        match value {
            Document::Object(pairs) => {
                for (key, value) in pairs {
                    self.insert(key, value, true);
                }
                true
            }
            Document::List(list) => list
                .into_iter()
                .rev()
                .all(|value| matches!(value, Document::Object(_)) && self.merge(value)),
            _ => false,
        }
    }
}

/// Number of keys up to which a search from the front is the fastest.
const SEARCHED: usize = 32;
