//! The place of a value in a document, and what holds for the whole document.

use std::fmt;

/// A place in a document, written as a JSON path.
pub(super) enum Path<'a> {
    /// The document, and true if the bootstrap in it has a tracer, which connection managers without a provider take.
    Root { has_tracer: bool },
    /// The value of a key.
    Key(&'a Path<'a>, &'a str),
    /// An entry of a list.
    Index(&'a Path<'a>, usize),
}

impl Path<'_> {
    /// Returns the place at a key.
    pub(super) fn key<'b>(&'b self, key: &'b str) -> Path<'b> {
        Path::Key(self, key)
    }

    /// Returns true below a patch of Istio's EnvoyFilter.
    pub(super) fn is_in_envoy_filter(&self) -> bool {
        match self {
            Path::Root { .. } => false,
            Path::Key(_, "configPatches") => true,
            Path::Key(parent, _) | Path::Index(parent, _) => parent.is_in_envoy_filter(),
        }
    }

    /// Returns true for the place of an extension of Envoy's, whose `@type` says which.
    pub(super) fn is_typed_config(&self) -> bool {
        matches!(self, Path::Key(_, "typed_config" | "typedConfig"))
    }

    /// Returns true if the bootstrap in the document has a tracer.
    pub(super) fn has_tracer(&self) -> bool {
        match self {
            Path::Root { has_tracer } => *has_tracer,
            Path::Key(parent, _) | Path::Index(parent, _) => parent.has_tracer(),
        }
    }
}

impl fmt::Display for Path<'_> {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Path::Root { .. } => formatter.write_str("$"),
            Path::Key(parent, key)
                if key
                    .chars()
                    .all(|character| character.is_ascii_alphanumeric() || character == '_') =>
            {
                write!(formatter, "{parent}.{key}")
            }
            Path::Key(parent, key) => write!(formatter, "{parent}[{key:?}]"),
            Path::Index(parent, index) => write!(formatter, "{parent}[{index}]"),
        }
    }
}
