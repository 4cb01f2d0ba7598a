//! The completeness of a trace: exactly one root, every parent present, no circle, and no span id twice.
//!
//! The answer names each span that breaks the rule, because "broken" alone sends a reader back to the raw spans.

use std::borrow::Borrow;
use std::collections::HashSet;
use std::fmt;

use super::trace_tree::{Top, arrange};
use crate::store::StoredSpan;

/// Checks that the spans of one trace make a complete trace.
///
/// # Errors
/// [`Incomplete`], with every [`Reason`].
pub fn is_complete<S: Borrow<StoredSpan>>(trace: &[S]) -> Result<(), Incomplete> {
    let trace: Vec<&StoredSpan> = trace.iter().map(Borrow::borrow).collect();
    let mut reasons = Vec::new();
    let ids: HashSet<&str> = trace.iter().map(|span| span.trace_id.as_str()).collect();
    if ids.len() > 1 {
        let mut ids: Vec<String> = ids.into_iter().map(str::to_owned).collect();
        ids.sort_unstable();
        reasons.push(Reason::SeveralTraces(ids));
    }
    let places = arrange(&trace);
    let with = |top| places.iter().filter(move |place| place.top == Some(top));
    match with(Top::Root).count() {
        0 => reasons.push(Reason::NoRoot),
        1 => {}
        _ => reasons.push(Reason::SeveralRoots(
            with(Top::Root).map(|p| title(p.span)).collect(),
        )),
    }
    for orphan in with(Top::Orphan) {
        reasons.push(Reason::MissingParent {
            span: title(orphan.span),
            parent_span_id: orphan.span.parent_span_id.clone().unwrap_or_default(),
        });
    }
    reasons.extend(with(Top::Circle).map(|circle| Reason::Circle(title(circle.span))));
    let mut seen = HashSet::new();
    for place in &places {
        if !seen.insert((&place.span.trace_id, &place.span.span_id)) {
            reasons.push(Reason::RepeatedId(title(place.span)));
        }
    }
    if reasons.is_empty() {
        Ok(())
    } else {
        Err(Incomplete { reasons })
    }
}

/// The reasons for which a trace is incomplete.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Incomplete {
    /// The reasons, at least one.
    pub reasons: Vec<Reason>,
}

impl fmt::Display for Incomplete {
    fn fmt(&self, out: &mut fmt::Formatter<'_>) -> fmt::Result {
        for (nth, reason) in self.reasons.iter().enumerate() {
            let gap = if nth == 0 { "" } else { "; " };
            write!(out, "{gap}{reason}")?;
        }
        Ok(())
    }
}

impl std::error::Error for Incomplete {}

/// One reason for which a trace is incomplete. Spans are named as `service KIND name (span id)`.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum Reason {
    /// The spans are of more than one trace.
    #[error("expected one trace, found {}: {}", .0.len(), .0.join(", "))]
    SeveralTraces(Vec<String>),
    /// No span is without a parent.
    #[error("no span is the root")]
    NoRoot,
    /// More than one span is without a parent.
    #[error("expected one root, found {}: {}", .0.len(), .0.join(", "))]
    SeveralRoots(Vec<String>),
    /// A span names a parent that is missing.
    #[error("{span} hangs below span {parent_span_id}, which is missing")]
    MissingParent {
        /// The span whose parent is missing.
        span: String,
        /// The id of the missing parent.
        parent_span_id: String,
    },
    /// A span is its own ancestor.
    #[error("{0} is its own ancestor")]
    Circle(String),
    /// Two spans have one id.
    #[error("{0} has the id of another span")]
    RepeatedId(String),
}

fn title(span: &StoredSpan) -> String {
    format!(
        "{} {} {} ({})",
        span.service(),
        span.kind,
        span.name,
        span.span_id
    )
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::store::samples::span;

    #[test]
    fn one_root_with_everything_below_it_is_whole() {
        let spans = [span("2", Some("1")), span("1", None), span("3", Some("2"))];
        assert_eq!(is_complete(&spans), Ok(()));
    }

    #[test]
    fn says_what_breaks_a_trace_and_where() {
        let stranger = StoredSpan {
            trace_id: "b".repeat(32),
            ..span("3", Some("1"))
        };
        let rows: [(&str, Vec<StoredSpan>, &str); 6] = [
            ("nothing", vec![], "no span is the root"),
            (
                "two roots",
                vec![span("1", None), span("2", None)],
                "expected one root, found 2: shop SERVER span 1 (0000000000000001), shop SERVER span 2 (0000000000000002)",
            ),
            (
                "a missing parent",
                vec![span("1", None), span("2", Some("f"))],
                "shop SERVER span 2 (0000000000000002) hangs below span 000000000000000f, which is missing",
            ),
            (
                "a circle",
                vec![span("1", None), span("2", Some("3")), span("3", Some("2"))],
                "shop SERVER span 2 (0000000000000002) is its own ancestor",
            ),
            (
                "a second trace",
                vec![span("1", None), stranger],
                "expected one trace, found 2: aaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaa, bbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbb",
            ),
            (
                "a repeated id",
                vec![span("1", None), span("2", Some("1")), span("2", Some("1"))],
                "shop SERVER span 2 (0000000000000002) has the id of another span",
            ),
        ];
        for (name, spans, message) in rows {
            assert_eq!(
                is_complete(&spans).unwrap_err().to_string(),
                message,
                "{name}"
            );
        }
    }

    #[test]
    fn gives_all_reasons_at_once() {
        let broken = is_complete(&[span("2", Some("f")), span("3", Some("3"))]).unwrap_err();
        assert_eq!(broken.reasons.len(), 3);
    }
}
