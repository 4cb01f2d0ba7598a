//! The part of TraceQL that is spoken here: one spanset.
//!
//! ```text
//! text ── token ── parser ──► Expression ─┬─ plan       what the store's indexes answer
//!                                         └─ evaluate   the rest, span by span
//! ```
//!
//! The rules are those of Tempo (<https://grafana.com/docs/tempo/latest/traceql/>), its odd ones too: `&&` and `||` bind
//! equally and from the left, a regular expression must match the whole text, and a comparison with an attribute that a span
//! does not have is false whatever its operator. What is not spoken is refused by its name and place, and never guessed.

mod condition;
mod evaluate;
mod expression;
mod field;
mod parser;
mod plan;
mod term;
mod token;

pub(super) use evaluate::{Facts, holds, shown, values};
pub(super) use expression::{Expression, Operand};
pub(super) use field::{Field, Intrinsic};
pub(super) use parser::{parse, parse_field};
pub(super) use plan::{Plan, plan};
pub(super) use term::{Comparison, Term, duration};

#[cfg(test)]
mod tests;
