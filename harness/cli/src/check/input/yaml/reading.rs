//! The result of reading: documents, remarks on single keys, or the reason why there is none.

use granit_parser::{ErrorKind, ScanError};

use crate::check::input::document::Document;

/// All documents of a text, and remarks on them.
#[derive(Debug, Default, PartialEq)]
pub(in crate::check) struct Reading {
    /// The documents.
    pub(in crate::check) documents: Vec<Document>,
    /// Keys that make a document invalid.
    pub(in crate::check) refused: Vec<Remark>,
    /// Keys that are other text for Kubernetes than what is written.
    pub(in crate::check) changed: Vec<Remark>,
}

/// One sentence about one place.
#[derive(Clone, Debug, PartialEq)]
pub(in crate::check) struct Remark {
    /// Number of the document, counted from 1.
    pub(in crate::check) document: usize,
    /// JSON path in that document.
    pub(in crate::check) path: String,
    /// Line in the text, counted from 1.
    pub(in crate::check) line: usize,
    /// The problem, and the cure.
    pub(in crate::check) message: String,
}

/// A text that cannot be read at all.
#[derive(Debug, PartialEq)]
pub(in crate::check) struct Unreadable {
    /// Line in the text, counted from 1, where there is one.
    pub(in crate::check) line: Option<usize>,
    /// The problem, and the cure.
    pub(in crate::check) message: String,
}

impl Unreadable {
    /// Returns the problem of a parser in words that have no part of the text.
    pub(super) fn of(error: &ScanError) -> Self {
        let line = error.marker().line();
        let message = match error.kind() {
        ErrorKind::TabNotAllowed
        | ErrorKind::TabInBlockIndentation
        | ErrorKind::TabInIndentation
        | ErrorKind::TabAtBlockScalarStart
        | ErrorKind::TabInPlainScalar => {
            "a tab in the indentation, where YAML takes spaces alone; replace the tabs".to_owned()
        }
        ErrorKind::BomInsideDocument => {
            "a byte order mark (U+FEFF) in the middle of the text, as joined files have it; remove it".to_owned()
        }
        ErrorKind::RecursionLimitExceeded => "nested too deep for any configuration".to_owned(),
        ErrorKind::UnknownAnchor => {
            "an alias (*…) of an anchor (&…) that is not in this document".to_owned()
        }
        kind => format!("expected YAML or JSON: {kind}"),
    };
        Unreadable {
            line: Some(line),
            message: format!(
                "{message} (line {line}, column {})",
                error.marker().col() + 1
            ),
        }
    }
}
