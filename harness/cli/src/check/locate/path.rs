//! JSON paths of the walk through a document.

use std::fmt;

/// A path from the root to a value, kept on the stack during the walk.
pub(super) enum Path<'a> {
    Root,
    Key(&'a Path<'a>, &'a str),
    Index(&'a Path<'a>, usize),
}

impl Path<'_> {
    /// Returns the path of a key below.
    pub(super) fn key<'b>(&'b self, key: &'b str) -> Path<'b> {
        Path::Key(self, key)
    }

    /// Returns true below a patch of Istio's EnvoyFilter.
    pub(super) fn is_in_envoy_filter(&self) -> bool {
        match self {
            Path::Root => false,
            Path::Key(_, "configPatches") => true,
            Path::Key(parent, _) | Path::Index(parent, _) => parent.is_in_envoy_filter(),
        }
    }
}

impl fmt::Display for Path<'_> {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Path::Root => formatter.write_str("$"),
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
