//! A query that was read, and the reasons for which one is not.

use regex::Regex;

use super::field::Field;
use super::term::{Comparison, Term};

/// A condition on one span.
#[derive(Clone, Debug)]
pub(in crate::tempo) enum Expression {
    /// Both.
    And(Box<Self>, Box<Self>),
    /// At least one.
    Or(Box<Self>, Box<Self>),
    /// The opposite.
    Not(Box<Self>),
    /// Two values compare.
    Compare(Operand, Comparison, Operand),
    /// The whole text of a field matches, or does not.
    Matches {
        field: Field,
        pattern: Regex,
        is_wanted: bool,
    },
    /// A field has a value, or has none.
    Exists { field: Field, is_wanted: bool },
    /// A value is true.
    Holds(Operand),
    /// A tag of the older search: a part of the value as text, whatever its type, in any case.
    Contains { field: Field, lower: String },
}

/// One side of a comparison.
#[derive(Clone, Debug, PartialEq)]
pub(in crate::tempo) enum Operand {
    Field(Field),
    Literal(Term<'static>),
}

impl Expression {
    /// Returns the condition that both hold.
    pub(in crate::tempo) fn and(self, other: Self) -> Self {
        Self::And(Box::new(self), Box::new(other))
    }

    /// Returns the condition that every span meets.
    pub(in crate::tempo) fn all() -> Self {
        Self::Holds(Operand::Literal(Term::Bool(true)))
    }

    /// Calls a function with each field that is named.
    pub(in crate::tempo) fn each_field<'a>(&'a self, with: &mut impl FnMut(&'a Field)) {
        match self {
            Self::And(left, right) | Self::Or(left, right) => {
                left.each_field(with);
                right.each_field(with);
            }
            Self::Not(inner) => inner.each_field(with),
            Self::Compare(left, _, right) => {
                for side in [left, right] {
                    if let Operand::Field(field) = side {
                        with(field);
                    }
                }
            }
            Self::Matches { field, .. }
            | Self::Exists { field, .. }
            | Self::Contains { field, .. } => {
                with(field);
            }
            Self::Holds(Operand::Field(field)) => with(field),
            Self::Holds(Operand::Literal(_)) => {}
        }
    }
}

/// The error of a query that is not answered. Places are counted in characters, from 1.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub(in crate::tempo) enum QueryError {
    /// A text that is no TraceQL.
    #[error("TraceQL, character {at}: expected {expected}, found {found}")]
    Syntax {
        at: usize,
        expected: String,
        found: String,
    },
    /// TraceQL that is not spoken here.
    #[error(
        "TraceQL, character {at}: this sink does not answer {what}. It answers one spanset, {{ … }}, of comparisons that are \
         joined by && and ||; a Tempo that it forwards to answers the whole language"
    )]
    Beyond { at: usize, what: &'static str },
    /// A query that is too long.
    #[error("TraceQL: expected at most {most} bytes, found {found}")]
    Long { most: usize, found: usize },
}
