//! The table of `sidespan bench` without an Envoy: the cost of each kind of request inside the filter.

use std::collections::BTreeMap;

use anyhow::Result;

use super::guest_cost::{self, Cost};
use super::request_kind::RequestKind;

/// Measures all kinds of requests, in their order, and the least filter behind them.
pub(super) fn measure() -> Result<Vec<(&'static str, Cost)>> {
    let mut costs = Vec::new();
    for (filter, kinds) in [
        (crate::embedded::FILTER, RequestKind::all()),
        (crate::embedded::LEAST, RequestKind::of_least()),
    ] {
        let module = guest_cost::metered(filter)?;
        for kind in &kinds {
            costs.push((kind.name, guest_cost::measure(&module, kind)?));
        }
    }
    Ok(costs)
}

/// Returns the costs as one JSON object, with the kinds' names as keys.
pub(super) fn json(costs: &[(&'static str, Cost)]) -> Result<String> {
    let all: BTreeMap<_, _> = costs.iter().map(|(name, cost)| (name, cost)).collect();
    Ok(serde_json::to_string_pretty(&all)? + "\n")
}

/// Returns the costs as a table for people.
pub(super) fn text(costs: &[(&'static str, Cost)]) -> String {
    let width = costs.iter().map(|(name, _)| name.len()).max().unwrap_or(0);
    let mut lines = vec![format!(
        "{:width$}  {:>8} {:>8} {:>8} {:>8} {:>8} {:>6}",
        "guest instructions of a request", "request", "response", "end", "all", "entries", "calls"
    )];
    lines.extend(costs.iter().map(|(name, cost)| {
        format!(
            "{name:width$}  {:>8} {:>8} {:>8} {:>8} {:>8} {:>6}",
            cost.request,
            cost.response,
            cost.end,
            cost.instructions(),
            cost.entries,
            cost.all_calls()
        )
    }));
    lines.push(String::new());
    lines.push(
        "Entries are callbacks and allocations, calls are those to the proxy. What they cost a real one: sidespan bench --envoy"
            .to_owned(),
    );
    lines.join("\n") + "\n"
}

#[cfg(test)]
mod tests {
    use super::*;

    /// A rod that did more than it has to would measure nothing.
    #[test]
    fn the_least_filter_does_as_little_as_can_be() {
        let module = guest_cost::metered(crate::embedded::LEAST).unwrap();
        // A byte that is copied in bulk counts as one instruction, 700 of them in a span.
        let bounds = [(4, 3, 5_400), (3, 2, 750), (2, 2, 400), (3, 3, 450)];
        let kinds = RequestKind::of_least();
        assert_eq!(kinds.len(), bounds.len());
        for (kind, (entries, calls, instructions)) in kinds.iter().zip(bounds) {
            let cost = guest_cost::measure(&module, kind).unwrap();
            assert_eq!(
                (cost.entries, cost.all_calls()),
                (entries, calls),
                "{}",
                kind.name
            );
            assert!(
                cost.instructions() <= instructions,
                "{} {cost:?}",
                kind.name
            );
        }
    }
}
