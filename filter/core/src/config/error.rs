//! The errors of a configuration: one sentence and one JSON path each.

use crate::codec::quote::{MAX_QUOTED, quoted};
use alloc::borrow::{Cow, ToOwned};
use alloc::format;
use alloc::string::{String, ToString};
use alloc::vec::Vec;
use core::cell::Cell;
use core::fmt::{self, Write};

/// One error of a configuration.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct ConfigError {
    /// A JSON path, such as `$.sampling.namespaces["team-*"]`.
    pub path: String,
    /// The expected value, the found value, and the cure, never with a value that may be secret.
    pub message: String,
}

impl fmt::Display for ConfigError {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(formatter, "{}: {}", self.path, self.message)
    }
}

impl core::error::Error for ConfigError {}

/// A path from the root to a value, kept on the stack during the walk.
#[derive(Clone, Copy, Debug)]
pub(super) enum Path<'a> {
    Root,
    Key(&'a Path<'a>, &'a str),
    Index(&'a Path<'a>, usize),
}

impl fmt::Display for Path<'_> {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Path::Root => formatter.write_char('$'),
            Path::Key(parent, key) if is_plain(key) => write!(formatter, "{parent}.{key}"),
            Path::Key(parent, key) => {
                let key = without_value(key);
                write!(formatter, "{parent}[{}]", quoted(&key))
            }
            Path::Index(parent, index) => write!(formatter, "{parent}[{index}]"),
        }
    }
}

/// Cuts a key behind its first separator. `authorization:Bearer …` is one key where the blank behind the colon is missing,
/// and its end may be secret.
fn without_value(key: &str) -> Cow<'_, str> {
    let mut characters = key.char_indices().skip(1);
    let separator = characters.find(|(_, character)| matches!(character, ':' | '='));
    match separator.and_then(|(at, _)| key.get(..=at)) {
        Some(name) if name.len() < key.len() => format!("{name}…").into(),
        _ => key.into(),
    }
}

/// The errors so far, in a cell because all positions of the walk share them.
#[derive(Default)]
pub(super) struct Errors {
    // The errors with their places, in the order of the document.
    found: Cell<Vec<(usize, ConfigError)>>,
    left_out: Cell<usize>,
}

impl Errors {
    /// Adds an error about the node at this place of the document.
    ///
    /// The message is made only while there is room, because 256 KiB have room for a hundred thousand errors.
    pub(super) fn add(&self, place: usize, path: Path<'_>, message: impl FnOnce() -> String) {
        if self.has_room() {
            self.push(place, path, message());
        } else {
            self.left_out.set(self.left_out.get().saturating_add(1));
        }
    }

    #[cold]
    fn has_room(&self) -> bool {
        let found = self.found.take();
        let has_room = found.len() < MAX_ERRORS;
        self.found.set(found);
        has_room
    }

    #[cold]
    #[inline(never)]
    fn push(&self, place: usize, path: Path<'_>, message: String) {
        let mut found = self.found.take();
        let error = ConfigError {
            path: path.to_string(),
            message,
        };
        let behind = found.partition_point(|(other, _)| *other <= place);
        found.insert(behind, (place, error));
        self.found.set(found);
    }

    /// Returns all errors, in the order of the document.
    pub(super) fn into_list(self) -> Vec<ConfigError> {
        let found = self.found.into_inner();
        let mut errors: Vec<_> = found.into_iter().map(|(_, error)| error).collect();
        if self.left_out.get() > 0 {
            errors.push(ConfigError {
                path: "$".to_owned(),
                message: format!("and {} more errors", self.left_out.get()),
            });
        }
        errors
    }
}

fn is_plain(key: &str) -> bool {
    let mut characters = key.chars();
    key.len() <= MAX_QUOTED
        && characters
            .next()
            .is_some_and(|first| first.is_ascii_alphabetic() || first == '_')
        && characters.all(|character| character.is_ascii_alphanumeric() || character == '_')
}

const MAX_ERRORS: usize = 100;
