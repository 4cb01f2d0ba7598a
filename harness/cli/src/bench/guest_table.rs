//! The table of `sidespan bench` without an Envoy: the cost of each kind of request inside the filter.

use std::collections::BTreeMap;

use anyhow::Result;

use super::guest_cost::{self, Cost};
use super::request_kind::RequestKind;

/// Measures all kinds of requests, in their order.
pub(super) fn measure() -> Result<Vec<(&'static str, Cost)>> {
    let module = guest_cost::metered(crate::embedded::FILTER)?;
    let kinds = RequestKind::all();
    let costs = kinds
        .iter()
        .map(|kind| Ok((kind.name, guest_cost::measure(&module, kind)?)));
    costs.collect()
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
