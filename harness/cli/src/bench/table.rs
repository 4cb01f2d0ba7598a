//! The figures as two tables, for every output: the cost of tracing, and the speed and memory of an Envoy that traces.

use std::fmt::Write as _;

use super::candidate::{Group, PEERS};
use super::report::{Measured, Report};
use super::statistics::{gap, greatest, least};

/// A table with a row for each candidate that took part.
pub(super) struct Table {
    pub(super) title: String,
    pub(super) headings: Vec<String>,
    pub(super) rows: Vec<Row>,
}

pub(super) struct Row {
    pub(super) group: Group,
    pub(super) name: String,
    pub(super) title: String,
    pub(super) cells: Vec<String>,
}

/// Returns the table of costs.
pub(super) fn cost(report: &Report) -> Table {
    let peers = PEERS.map(|(_, heading)| format!("x {heading}"));
    let headings = ["CPU", "next", "added"].map(str::to_owned);
    let cells = |it: &Measured| {
        let mut cells = vec![
            number(Some(least(&it.cost))),
            gap(&it.cost).map_or_else(nothing, |gap| format!("+{gap:.2}")),
            number(report.added(it)),
        ];
        let peers = PEERS.iter().map(|(name, _)| report.ratio(it, name));
        cells.extend(peers.chain([report.ratio_to_floor(it)]).map(number));
        cells
    };
    Table {
        title: format!(
            "CPU time of Envoy for a request, in µs: the least of {} rounds of {} requests in {} processes, and by how much the next is more; \
             what is added to no tracing, and how many times what the peers add",
            report.rounds, report.requests, report.processes
        ),
        headings: headings
            .into_iter()
            .chain(peers)
            .chain(["x floor".to_owned()])
            .collect(),
        rows: rows(report, cells),
    }
}

/// Returns the table of speed and memory.
pub(super) fn speed(report: &Report) -> Table {
    let cells = |it: &Measured| {
        let mut cells = vec![format!("{:.0}", greatest(&it.requests_per_second))];
        let times = it.latency_medians().into_iter();
        cells.extend(times.map(|time| time.map_or_else(nothing, |us| format!("{us:.0}"))));
        let (before, after) = it.resident_bytes;
        cells.extend([mib(before), mib(after)]);
        cells.push(it.spans.as_ref().map_or_else(nothing, |spans| {
            let mut text = spans.received.to_string();
            if spans.queued > 0 {
                // Writing to a String cannot fail.
                let _ = write!(text, " + {}", spans.queued);
            }
            if let Some(due) = spans.due {
                let _ = write!(text, " of {due}");
            }
            text
        }));
        cells
    };
    let mut title = String::from("requests in a second, the best round; ");
    if let Some(rate) = report.rate {
        let _ = write!(
            title,
            "latency in µs at {rate:.0} requests in a second, 60 % of the slowest one's, the median of {} rounds; ",
            report.rounds
        );
    }
    title.push_str(
        "resident memory in MiB before the first request and after the last; spans received",
    );
    let headings = ["req/s", "p50", "p90", "p99", "before", "after", "spans"];
    Table {
        title,
        headings: headings.map(str::to_owned).into(),
        rows: rows(report, cells),
    }
}

fn rows(report: &Report, cells: impl Fn(&Measured) -> Vec<String>) -> Vec<Row> {
    let row = |it: &Measured| Row {
        group: it.candidate.group,
        name: it.candidate.name.clone(),
        title: it.candidate.title.clone(),
        cells: cells(it),
    };
    report.measured.iter().map(row).collect()
}

fn number(number: Option<f64>) -> String {
    number.map_or_else(nothing, |number| format!("{number:.2}"))
}

fn mib(bytes: u64) -> String {
    format!("{:.1}", bytes as f64 / f64::from(1 << 20))
}

fn nothing() -> String {
    "-".into()
}
