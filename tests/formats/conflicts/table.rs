//! The results as a table, in which pairs of formats with the same result share a row.

use std::fmt::Write;

use sidespan_core::propagation::format::Format;
use sidespan_tests::dialect::{Context, State};
use sidespan_tests::readme;

use super::{Disagreement, GoesOn, Matter, TRACE, pairs};

/// The rows so far.
#[derive(Default)]
pub(super) struct Table(Vec<Row>);

struct Row {
    cells: [String; 4],
    // In the order of `pairs`, each once.
    pairs: Vec<[Format; 2]>,
}

impl Table {
    /// Adds one pair to the row with its result.
    pub(super) fn add(&mut self, disagreement: &Disagreement, found: &GoesOn) {
        let cells = cells(disagreement, found);
        let pair = disagreement.formats;
        match self.0.iter_mut().find(|row| row.cells == cells) {
            Some(row) if row.pairs.contains(&pair) => {}
            Some(row) => row.pairs.push(pair),
            None => self.0.push(Row {
                cells,
                pairs: vec![pair],
            }),
        }
    }

    /// Returns the table in Markdown.
    pub(super) fn render(&self) -> String {
        let mut table = String::from(
            "| they disagree in | the first says | the other says | what goes on | the first is | the other is | pairs |\n\
             |---|---|---|---|---|---|---|\n",
        );
        for Row { cells, pairs } in &self.0 {
            let (cells, [first, other], count) = (cells.join(" | "), sides(pairs), pairs.len());
            writeln!(table, "| {cells} | {first} | {other} | {count} |")
                .expect("a string takes all");
        }
        table
    }
}

fn cells(disagreement: &Disagreement, found: &GoesOn) -> [String; 4] {
    let [first, other] = &disagreement.said;
    let width = |said: &Context| {
        if said.is_narrow() {
            "16 digits"
        } else {
            "32 digits"
        }
    };
    let cells = match disagreement.matter {
        Matter::Trace => [
            "the trace id",
            "one",
            "another",
            "the first's ids and decision",
        ],
        Matter::LeftHalf => ["its left half alone", "one", "another", "the first's ids"],
        Matter::Span => [
            "the span id alone",
            "one",
            "another",
            "the first's is the parent",
        ],
        Matter::Width => {
            let is_kept = found.trace_id == TRACE;
            let kept = if is_kept { "32 digits" } else { "16 digits" };
            [
                "the width of one trace id",
                width(first),
                width(other),
                kept,
            ]
        }
        Matter::Decision => {
            let [first, other, found] = [first.state, other.state, found.state].map(State::name);
            ["the decision", first, other, found]
        }
    };
    let mut cells = cells.map(str::to_owned);
    if found.link.is_some() {
        cells[3].push_str(", a span link to the other");
    }
    if found.conflicts > 0 {
        cells[3].push_str(", `context.conflict`");
    }
    cells
}

/// Names the formats on either side of a row, which holds each of one side with each of the other.
fn sides(found: &[[Format; 2]]) -> [String; 2] {
    // No format is read after the last one, and none before the first.
    let all = [&Format::ALL[..8], &Format::ALL[1..]];
    let met = [0, 1].map(|side| {
        let is_met = |format: &Format| found.iter().any(|pair| pair[side] == *format);
        Format::ALL.into_iter().filter(is_met).collect::<Vec<_>>()
    });
    // The shortest names that are true.
    let candidates = [
        [all[0], all[1]],
        [all[0], &met[1]],
        [&met[0], all[1]],
        [&met[0], &met[1]],
    ];
    let [firsts, others] = candidates
        .into_iter()
        .find(|[firsts, others]| {
            let are_meant =
                |[first, other]: &[Format; 2]| firsts.contains(first) && others.contains(other);
            pairs().filter(are_meant).eq(found.iter().copied())
        })
        .expect("each of one side with each of the other");
    [
        readme::formats(firsts, all[0]),
        readme::formats(others, all[1]),
    ]
}
