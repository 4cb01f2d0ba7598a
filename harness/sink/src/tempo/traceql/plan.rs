//! What the store answers of a query before any span is evaluated. It never leaves out a span that the query finds.

use std::time::Duration;

use super::expression::{Expression, Operand};
use super::field::{Field, Intrinsic};
use super::term::{Comparison, Term};
use crate::store::{Query, TagScope};

/// The part of a query that the store answers.
#[derive(Clone, Debug, Default, PartialEq)]
pub(in crate::tempo) struct Plan {
    /// The conditions that indexes answer.
    pub(in crate::tempo) query: Query,
    /// Bytes that a span must have, in its own or in the fields around it: names of attributes, and texts.
    pub(in crate::tempo) needles: Vec<Vec<u8>>,
    /// The only trace that can be found, as it was written.
    pub(in crate::tempo) trace_id: Option<String>,
}

/// Returns the plan of a query.
pub(in crate::tempo) fn plan(expression: &Expression) -> Plan {
    let mut plan = Plan::default();
    add(expression, &mut plan);
    plan
}

fn add(expression: &Expression, plan: &mut Plan) {
    match expression {
        Expression::And(left, right) => {
            add(left, plan);
            add(right, plan);
        }
        Expression::Compare(Operand::Field(field), comparison, Operand::Literal(term)) => {
            compared(field, *comparison, term, plan);
        }
        Expression::Compare(Operand::Literal(term), comparison, Operand::Field(field)) => {
            compared(field, comparison.mirrored(), term, plan);
        }
        Expression::Compare(..) => expression.each_field(&mut |field| needs(field, plan)),
        Expression::Exists {
            field,
            is_wanted: true,
        }
        | Expression::Matches { field, .. }
        | Expression::Holds(Operand::Field(field))
        | Expression::Contains { field, .. } => needs(field, plan),
        Expression::Or(..)
        | Expression::Not(_)
        | Expression::Exists { .. }
        | Expression::Holds(Operand::Literal(_)) => {}
    }
}

fn needs(field: &Field, plan: &mut Plan) {
    if let Field::Attribute(_, name) = field {
        plan.needles.push(name.as_bytes().to_vec());
    }
}

fn compared(field: &Field, comparison: Comparison, term: &Term<'_>, plan: &mut Plan) {
    needs(field, plan);
    let is_equal = comparison == Comparison::Equal;
    if let (true, Field::Attribute(..), Term::Text(text)) = (is_equal, field, term) {
        plan.needles.push(text.as_bytes().to_vec());
    }
    let query = &mut plan.query;
    match (field, term) {
        (Field::Attribute(Some(TagScope::Resource), name), Term::Text(text))
            if is_equal && name == "service.name" =>
        {
            query
                .service
                .get_or_insert_with(|| text.clone().into_owned());
        }
        (Field::Intrinsic(Intrinsic::Name), Term::Text(text)) if is_equal => {
            query.name.get_or_insert_with(|| text.clone().into_owned());
        }
        (Field::Intrinsic(Intrinsic::TraceId), Term::Text(text)) if is_equal => {
            plan.trace_id
                .get_or_insert_with(|| text.clone().into_owned());
        }
        (Field::Intrinsic(Intrinsic::Kind), Term::Kind(kind)) if is_equal => {
            query.kind.get_or_insert(*kind);
        }
        (Field::Intrinsic(Intrinsic::Status), Term::Status(status)) if is_equal => {
            query.status.get_or_insert(*status);
        }
        (Field::Intrinsic(Intrinsic::Duration), Term::Duration(nanos) | Term::Int(nanos)) => {
            let bound = Duration::from_nanos(u64::try_from(*nanos).unwrap_or_default());
            let least = matches!(
                comparison,
                Comparison::Greater | Comparison::GreaterOrEqual | Comparison::Equal
            );
            let most = matches!(
                comparison,
                Comparison::Less | Comparison::LessOrEqual | Comparison::Equal
            );
            if least {
                query.min_duration = query.min_duration.max(Some(bound));
            }
            if most {
                query.max_duration =
                    Some(query.max_duration.map_or(bound, |before| before.min(bound)));
            }
        }
        _ => {}
    }
}
