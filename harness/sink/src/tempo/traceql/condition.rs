//! The conditions that two sides make, and what is refused because its types never compare.

use regex::{Regex, RegexBuilder};

use super::expression::{Expression, Operand, QueryError};
use super::field::FieldType;
use super::term::{Comparison, Term};

/// A part of a condition that is none by itself yet.
pub(super) enum Part {
    Condition(Expression),
    Side(Operand),
    Nil,
}

/// Returns the error of a text that is no TraceQL.
pub(super) fn syntax(at: usize, expected: &str, found: &str) -> QueryError {
    QueryError::Syntax {
        at,
        expected: expected.to_owned(),
        found: found.to_owned(),
    }
}

/// Returns a value as a side.
pub(super) fn literal(term: Term<'static>) -> Part {
    Part::Side(Operand::Literal(term))
}

/// Returns true if a side is a condition by itself.
pub(super) fn is_truth(side: &Operand) -> bool {
    match side {
        Operand::Field(field) => field.field_type() == FieldType::Any,
        Operand::Literal(term) => matches!(term, Term::Bool(_)),
    }
}

/// Returns the operator of a sign.
pub(super) fn comparison(sign: &str) -> Option<Comparison> {
    Some(match sign {
        "=" => Comparison::Equal,
        "!=" => Comparison::NotEqual,
        "<" => Comparison::Less,
        "<=" => Comparison::LessOrEqual,
        ">" => Comparison::Greater,
        ">=" => Comparison::GreaterOrEqual,
        _ => return None,
    })
}

/// Returns true for the signs that stand between two sides.
pub(super) fn is_comparison(sign: &str) -> bool {
    comparison(sign).is_some() || matches!(sign, "=~" | "!~")
}

/// Returns the condition that a field has a value, or none.
pub(super) fn existence(
    side: Operand,
    operator: &str,
    at: usize,
) -> Result<Expression, QueryError> {
    match (side, operator) {
        (Operand::Field(field), "=" | "!=") => Ok(Expression::Exists {
            field,
            is_wanted: operator == "!=",
        }),
        (Operand::Field(_), _) => Err(syntax(at, "= or != with nil", operator)),
        (Operand::Literal(_), _) => Err(syntax(at, "a field on one side of nil", "a value")),
    }
}

/// Returns the condition that a field's whole text matches, or does not.
pub(super) fn matches(
    left: Part,
    is_wanted: bool,
    right: Part,
    at: usize,
) -> Result<Expression, QueryError> {
    let (Part::Side(Operand::Field(field)), Part::Side(Operand::Literal(Term::Text(text)))) =
        (left, right)
    else {
        return Err(syntax(
            at,
            "a field, =~ or !~, and a text with a regular expression",
            "other sides",
        ));
    };
    if !matches!(field.field_type(), FieldType::Any | FieldType::Text) {
        let expected = format!("a comparison with {}", field.field_type().words());
        return Err(syntax(at, &expected, "a regular expression"));
    }
    let pattern = RegexBuilder::new(&format!("^(?s:{text})$"))
        .size_limit(MAX_PATTERN)
        .build();
    let pattern: Regex = pattern.map_err(|error| {
        // The last line of the library's message says what is wrong; the others draw the place in our own text.
        let cause = error.to_string();
        let cause = cause
            .lines()
            .last()
            .unwrap_or_default()
            .trim_start_matches("error: ");
        syntax(at, "a regular expression", &format!("{text:?}: {cause}"))
    })?;
    Ok(Expression::Matches {
        field,
        pattern,
        is_wanted,
    })
}

/// Compares two sides, unless their types never do.
pub(super) fn compare(
    left: Operand,
    operator: &str,
    right: Operand,
    at: usize,
) -> Result<Expression, QueryError> {
    let Some(comparison) = comparison(operator) else {
        return Err(syntax(at, "a comparison", operator));
    };
    for (side, other) in [(&left, &right), (&right, &left)] {
        let Operand::Field(field) = side else {
            continue;
        };
        let kind = field.field_type();
        let has_order = !matches!(kind, FieldType::Status | FieldType::Kind);
        if !has_order && !matches!(comparison, Comparison::Equal | Comparison::NotEqual) {
            return Err(syntax(at, "= or != with a status or kind", operator));
        }
        let Operand::Literal(term) = other else {
            continue;
        };
        let fits = match kind {
            FieldType::Any => true,
            FieldType::Text => matches!(term, Term::Text(_)),
            FieldType::Number => term.is_number(),
            FieldType::Status => matches!(term, Term::Status(_)),
            FieldType::Kind => matches!(term, Term::Kind(_)),
        };
        if !fits {
            let expected = format!("a comparison with {}", kind.words());
            let found = format!("the {} {}", term.type_name(), term.text());
            return Err(syntax(at, &expected, &found));
        }
    }
    Ok(Expression::Compare(left, comparison, right))
}

/// The memory of one regular expression, in bytes.
const MAX_PATTERN: usize = 1 << 20;
