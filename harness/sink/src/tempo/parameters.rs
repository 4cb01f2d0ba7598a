//! The parameters of a search.

use super::logfmt;
use super::traceql::{Comparison, Expression, Field, Intrinsic, Operand, Term, duration, parse};
use crate::store::StatusCode;

/// A search.
#[derive(Clone, Debug)]
pub(super) struct Search {
    /// The condition on a span.
    pub(super) condition: Expression,
    /// True for TraceQL, whose answer shows the spans; the older search by tags shows traces.
    pub(super) is_traceql: bool,
    /// The most traces.
    pub(super) limit: usize,
    /// The most spans that are shown of a trace; 0 for all.
    pub(super) spans: usize,
    /// The earliest start of a span, in seconds since 1970.
    pub(super) start: Option<u64>,
    /// The latest start of a span, in seconds since 1970.
    pub(super) end: Option<u64>,
}

/// Reads the parameters. Those that no search has are passed over, as by Tempo.
///
/// # Errors
/// A line for the person who asked.
pub(super) fn read(query: &str) -> Result<Search, String> {
    let mut search = Search {
        condition: Expression::all(),
        is_traceql: true,
        limit: 20,
        spans: 3,
        start: None,
        end: None,
    };
    let (mut traceql, mut tags, mut least, mut most) = (None, None, None, None);
    for (name, value) in form_urlencoded::parse(query.as_bytes()) {
        if value.is_empty() {
            continue;
        }
        match &*name {
            "q" => traceql = Some(value.into_owned()),
            "tags" => tags = Some(value.into_owned()),
            "minDuration" => least = Some(length("minDuration", &value)?),
            "maxDuration" => most = Some(length("maxDuration", &value)?),
            "start" => search.start = Some(number("start", &value)?).filter(|it| *it > 0),
            "end" => search.end = Some(number("end", &value)?).filter(|it| *it > 0),
            "limit" => {
                let limit = usize::try_from(number("limit", &value)?).unwrap_or(usize::MAX);
                if limit == 0 {
                    return Err("invalid limit: must be a positive number".to_owned());
                }
                search.limit = limit.min(MAX_LIMIT);
            }
            "spss" => search.spans = usize::try_from(number("spss", &value)?).unwrap_or(usize::MAX),
            _ => {}
        }
    }
    search.condition = match (traceql, tags) {
        (Some(_), Some(_)) => {
            return Err("invalid request: can't specify tags and q in the same query".to_owned());
        }
        (Some(query), None) => parse(&query).map_err(|error| error.to_string())?,
        (None, tags) => {
            search.is_traceql = false;
            of_tags(&tags.unwrap_or_default())?
        }
    };
    if let (Some(least), Some(most)) = (least, most)
        && least > most
    {
        return Err("invalid maxDuration: must be greater than minDuration".to_owned());
    }
    for (bound, comparison) in [
        (least, Comparison::GreaterOrEqual),
        (most, Comparison::LessOrEqual),
    ] {
        if let Some(nanos) = bound {
            let field = Operand::Field(Field::Intrinsic(Intrinsic::TraceDuration));
            let literal = Operand::Literal(Term::Duration(nanos));
            search.condition = search
                .condition
                .and(Expression::Compare(field, comparison, literal));
        }
    }
    match (search.start, search.end) {
        (Some(start), Some(end)) if end <= start => Err(format!(
            "http parameter start must be before end. received start={start} end={end}"
        )),
        _ => Ok(search),
    }
}

/// Returns the condition of tags: each a part of a value, in any case, of the span or its resource; `name` and `status` are
/// the span's own.
fn of_tags(tags: &str) -> Result<Expression, String> {
    let mut condition = Expression::all();
    for (key, value) in logfmt::read(tags)? {
        let field = match key.as_str() {
            "name" => Field::Intrinsic(Intrinsic::Name),
            "root.name" => Field::Intrinsic(Intrinsic::RootName),
            "root.service.name" => Field::Intrinsic(Intrinsic::RootService),
            "status" | "status.code" => Field::Intrinsic(Intrinsic::Status),
            _ => Field::Attribute(None, key.clone()),
        };
        let contains = Expression::Contains {
            field,
            lower: value.to_lowercase(),
        };
        let is_error = (key == "error" && value == "true").then(|| {
            let field = Operand::Field(Field::Intrinsic(Intrinsic::Status));
            Expression::Compare(
                field,
                Comparison::Equal,
                Operand::Literal(Term::Status(StatusCode::Error)),
            )
        });
        condition = condition.and(match is_error {
            Some(is_error) => Expression::Or(Box::new(contains), Box::new(is_error)),
            None => contains,
        });
    }
    Ok(condition)
}

fn length(name: &str, value: &str) -> Result<i64, String> {
    duration(value).ok_or_else(|| {
        format!("invalid {name}: expected a duration such as 100ms, 1.5s or 15m, found {value:?}")
    })
}

fn number(name: &str, value: &str) -> Result<u64, String> {
    // Grafana writes seconds with a fraction now and then.
    let whole = value.split_once('.').map_or(value, |(whole, _)| whole);
    whole
        .parse()
        .map_err(|_| format!("invalid {name}: expected a whole number, found {value:?}"))
}

/// The most traces of one answer.
const MAX_LIMIT: usize = 1_000;
