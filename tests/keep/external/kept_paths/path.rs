//! Spans as a path: from the root down, each the parent of the next.

use sidespan_sink::{StoredSpan, Value};

/// Returns the path of one trace's spans, as `<service> <kind> <why it is kept>`.
///
/// # Panics
/// When the spans are no path, or are marked as sampled.
pub(super) fn path(spans: &[StoredSpan]) -> Vec<String> {
    let parent = |span: &StoredSpan| {
        let above = spans
            .iter()
            .find(|above| Some(&above.span_id) == span.parent_span_id.as_ref());
        above.map(|above| above.span_id.clone())
    };
    let below = |id: Option<String>| {
        let mut found = spans.iter().filter(|span| parent(span) == id);
        let one = found.next();
        assert!(
            found.next().is_none(),
            "below {id:?} stands more than one: {}",
            all(spans)
        );
        one
    };
    let mut path = Vec::new();
    let mut next = below(None);
    while let Some(span) = next {
        assert_eq!(span.flags & 1, 0, "it was not sampled: {span:?}");
        assert!(
            !span.trace_state.contains("th:"),
            "no probability is known: {span:?}"
        );
        path.push(title(span));
        next = below(Some(span.span_id.clone()));
    }
    assert_eq!(path.len(), spans.len(), "a path and more: {}", all(spans));
    path
}

/// Returns the path through the gateway that continues with this path.
pub(super) fn of_gateway(path: &[&str]) -> Vec<String> {
    let cause = path[0].rsplit(' ').next().expect("a cause");
    let gateway = ["SERVER", "CLIENT"].map(|kind| format!("gateway {kind} {cause}"));
    let behind = path.iter().map(|span| (*span).to_owned());
    gateway.into_iter().chain(behind).collect()
}

fn title(span: &StoredSpan) -> String {
    let cause = span.attribute("sidespan.kept").and_then(Value::as_str);
    let cause = cause.unwrap_or("not marked");
    format!("{} {} {cause}", span.service(), span.kind)
}

fn all(spans: &[StoredSpan]) -> String {
    let lines = spans.iter().map(|span| {
        let parent = span.parent_span_id.as_deref().unwrap_or("none");
        format!("\n{} ({}), parent {parent}", title(span), span.span_id)
    });
    lines.collect()
}
