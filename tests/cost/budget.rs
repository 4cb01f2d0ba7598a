//! The budget of a request in the filter: instructions of the compiled guest, part by part, entries into the module, and calls
//! to the proxy.
//!
//! The budget is the last record, in `budget/recorded.json`. A change that makes any part of any kind of request dearer by
//! more than 3 % fails, and the message names the part; a change that makes a part cheaper by as much has to be recorded,
//! because otherwise the next change could lose the gain unseen. `SIDESPAN_UPDATE=1` records.

mod chunks;
mod memory;

use std::collections::BTreeMap;
use std::fmt::Write;
use std::fs;
use std::path::{Path, PathBuf};

use sidespan::bench::guest_cost::{self, Cost};
use sidespan::bench::request_kind::RequestKind;

/// The permitted difference, in percent.
const TOLERANCE: u64 = 3;
/// The permitted difference in instructions, because a single branch is more than 3 % of a short part.
const SLACK: u64 = 25;

#[test]
fn no_kind_of_request_costs_more_than_is_recorded() {
    let module = guest_cost::metered(sidespan::FILTER).expect("the filter");
    let observed: BTreeMap<String, Cost> = RequestKind::all()
        .iter()
        .map(|kind| {
            let cost = guest_cost::measure(&module, kind).expect(kind.name);
            (kind.name.to_owned(), cost)
        })
        .collect();
    if std::env::var_os("SIDESPAN_UPDATE").is_some_and(|value| value == "1") {
        let text = serde_json::to_string_pretty(&observed).expect("plain data");
        fs::write(path(), text + "\n").expect("the record");
        return;
    }
    let text = fs::read_to_string(path()).expect("the record");
    let recorded: BTreeMap<String, Cost> = serde_json::from_str(&text).expect("the record");
    let differences = differences(&recorded, &observed);
    assert!(
        differences.is_empty(),
        "{differences}SIDESPAN_UPDATE=1 records what is so now"
    );
}

#[test]
fn a_budget_that_is_left_says_where_and_by_how_much() {
    let cost = |request, response, end, reads| Cost {
        request,
        response,
        end,
        entries: 7 + reads,
        calls: [("proxy_get_property".to_owned(), reads)].into(),
    };
    let of = |cost| BTreeMap::from([("a kind".to_owned(), cost)]);
    let recorded = of(cost(10_000, 10, 5_000, 1));
    let found = |cost| differences(&recorded, &of(cost));
    assert_eq!(found(cost(10_300, 30, 4_850, 1)), "");
    assert_eq!(
        found(cost(10_301, 36, 4_849, 2)),
        "a kind: request: 10301 instructions, and 10000 are recorded\n\
         a kind: response: 36 instructions, and 10 are recorded\n\
         a kind: end: 4849 instructions, and 5000 are recorded\n\
         a kind: 9 entries, and 8 are recorded\n\
         a kind: proxy_get_property: 2 calls, and 1 are recorded\n"
    );
    assert_eq!(
        differences(&recorded, &BTreeMap::new()),
        "a kind: recorded, and nobody measures it\n"
    );
    assert_eq!(
        differences(&BTreeMap::new(), &recorded),
        "a kind: not recorded\n"
    );
}

/// Returns a line for each part that is dearer or cheaper than permitted.
fn differences(recorded: &BTreeMap<String, Cost>, observed: &BTreeMap<String, Cost>) -> String {
    let mut lines = String::new();
    for name in recorded.keys().filter(|name| !observed.contains_key(*name)) {
        writeln!(lines, "{name}: recorded, and nobody measures it").expect("a string");
    }
    for (name, observed) in observed {
        let Some(recorded) = recorded.get(name) else {
            writeln!(lines, "{name}: not recorded").expect("a string");
            continue;
        };
        for (part, of) in PARTS {
            let (was, is) = (of(recorded), of(observed));
            if was.abs_diff(is) > (was * TOLERANCE / 100).max(SLACK) {
                writeln!(
                    lines,
                    "{name}: {part}: {is} instructions, and {was} are recorded"
                )
                .expect("a string");
            }
        }
        let (was, is) = (recorded.entries, observed.entries);
        if was != is {
            writeln!(lines, "{name}: {is} entries, and {was} are recorded").expect("a string");
        }
        let calls: BTreeMap<&String, ()> = recorded
            .calls
            .keys()
            .chain(observed.calls.keys())
            .map(|call| (call, ()))
            .collect();
        for call in calls.into_keys() {
            let of = |cost: &Cost| cost.calls.get(call).copied().unwrap_or_default();
            let (was, is) = (of(recorded), of(observed));
            if was != is {
                writeln!(lines, "{name}: {call}: {is} calls, and {was} are recorded")
                    .expect("a string");
            }
        }
    }
    lines
}

type Part = fn(&Cost) -> u64;

const PARTS: [(&str, Part); 3] = [
    ("request", |cost| cost.request),
    ("response", |cost| cost.response),
    ("end", |cost| cost.end),
];

fn path() -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("cost/budget/recorded.json")
}
