//! The figures as two tables, for every output: the cost of tracing, and the speed and memory of an Envoy that traces.

use std::fmt::Write as _;

use super::candidate::{Group, PEERS};
use super::report::{Measured, Report};
use super::statistics::{Figures, greatest};

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
    let headings = ["CPU", "added: min", "low", "median"].map(str::to_owned);
    let has_other_builds = report.measured.iter().any(|it| it.candidate.own.is_some());
    let cells = |it: &Measured| {
        let added = report.added(it);
        let added = [
            added.map(|it| it.least),
            added.map(|it| it.low),
            added.map(|it| it.median),
        ];
        let low = |it: Figures| it.low;
        let peers = PEERS.iter().map(|(name, _)| report.ratio(it, name, low));
        let own = has_other_builds.then(|| report.ratio_to_own(it, low));
        let ratios = peers.chain([report.ratio_to_floor(it, low)]).chain(own);
        let figures = [Some(low(report.figures(it)))].into_iter().chain(added);
        figures.chain(ratios).map(number).collect()
    };
    let within = match report.rounds_of_a_process {
        0 | 1 => String::new(),
        rounds => format!(", each the least of its {rounds} rounds"),
    };
    Table {
        title: format!(
            "{}: CPU time of Envoy for a request, in µs, over {} processes of each candidate with {} requests a round{within}; \
             what is added to no tracing, by the least process, the mean of the lowest third (low), and the median; how many \
             times what the peers add, and what the least filter adds that does the same work, by low",
            report.surroundings.processor(),
            report.processes,
            report.requests,
        ),
        headings: headings
            .into_iter()
            .chain(peers)
            .chain(["x least".to_owned()])
            .chain(has_other_builds.then(|| "x built-in".to_owned()))
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
        let (before, after) = it.memory;
        cells.extend(
            [
                before.resident_bytes,
                after.resident_bytes,
                after.anonymous_bytes,
            ]
            .map(mib),
        );
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
    let mut title = format!(
        "{}: requests in a second, the best round; ",
        report.surroundings.processor()
    );
    if let Some(rate) = report.rate {
        let _ = write!(
            title,
            "latency in µs at {rate:.0} requests in a second, 60 % of the slowest one's, the median of {} rounds; ",
            report.latency_rounds
        );
    }
    title.push_str(
        "resident memory in MiB of the last process before its first request and after its last, and what of that is not the \
         program's code, which processes share; spans received",
    );
    let headings = [
        "req/s", "p50", "p90", "p99", "before", "after", "own", "spans",
    ];
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

#[cfg(test)]
mod tests {
    use super::super::report::tests::report;
    use super::*;

    #[test]
    fn another_build_is_held_against_the_one_in_this_program() {
        let ours = "sidespan-100-w3c";
        let costs: [(&str, &[f64]); 3] = [
            ("no-tracing", &[30.0, 30.0]),
            (ours, &[40.0, 40.0]),
            (ours, &[45.0, 45.0]),
        ];
        let alone = cost(&report(&costs[..2]));
        assert_eq!(alone.headings.last().unwrap(), "x least");
        let mut report = report(&costs);
        report.measured[2].candidate.own = Some(ours.into());
        let table = cost(&report);
        assert_eq!(table.headings.last().unwrap(), "x built-in");
        let last = |place: usize| table.rows[place].cells.last().cloned().unwrap();
        assert_eq!([1, 2].map(last), [nothing(), "1.50".into()]);
        assert_eq!(report.to_json()["candidates"][2]["ratios"][ours], 1.5);
    }
}
