//! The page on sizing: its tables are computed from `sizing.yaml`, by the formulas that it states.

mod cost;
mod table;

use std::{env, fs};

use serde_json::Value;
use sidespan_core::config::Config;

use super::files::{list, path, read, yaml};
use cost::Mesh;

const PAGE: &str = "sizing.md";

/// The numbers of `sizing.yaml` that a run of the test bed is compared with.
pub(crate) struct Constants {
    spans_of_a_call: f64,
    pub(crate) bytes_per_span: f64,
    pub(crate) gzip_bytes_per_span: f64,
    pub(crate) jaeger_bytes_per_span: f64,
}

impl Constants {
    /// Reads the file.
    pub(crate) fn read() -> Self {
        let measured = &yaml("sizing.yaml")["measured"];
        Self {
            spans_of_a_call: number(&measured["spans_of_a_call"]),
            bytes_per_span: number(&measured["bytes_per_span"]),
            gzip_bytes_per_span: number(&measured["gzip_bytes_per_span"]),
            jaeger_bytes_per_span: number(&measured["jaeger_bytes_per_span"]),
        }
    }

    /// Returns the spans of a request that leads to so many calls: of its own the gateway's SERVER span alone, for its caller has no proxy.
    pub(crate) fn spans_of_a_request(&self, calls: f64) -> f64 {
        1.0 + self.spans_of_a_call * calls
    }
}

#[test]
fn the_tables_are_computed() {
    let whole = yaml("sizing.yaml");
    let sizes = yaml("collector/sizes.yaml");
    let meshes: Vec<Mesh> = list(&whole["meshes"])
        .iter()
        .map(|mesh| Mesh::read(mesh, &whole, &sizes))
        .collect();
    let written = read(PAGE);
    let mut page = written.clone();
    for (name, table) in [
        ("what is made", table::made(&meshes)),
        ("the filter decides", table::filter_decides(&meshes)),
        ("the gateway decides", table::gateway_decides(&meshes)),
        ("an incident", table::incident(&meshes)),
    ] {
        let (begin, end) = (format!("<!-- {name} -->\n"), format!("<!-- /{name} -->"));
        let (before, rest) = page.split_once(&begin).expect("the table's begin");
        let (_, after) = rest.split_once(&end).expect("the table's end");
        page = format!("{before}{begin}{table}{end}{after}");
    }
    if env::var_os("SIDESPAN_UPDATE").is_some() {
        fs::write(path(PAGE), &page).expect("a file of the project");
    }
    assert!(
        written == page,
        "{PAGE} differs: SIDESPAN_UPDATE=1 writes it"
    );
}

/// Holds what the page assumes to what the tail sampler and the filter have.
#[test]
fn what_is_assumed_is_what_is_shipped() {
    let assumed = &yaml("sizing.yaml")["assumed"];
    let sampler = yaml("collector/gateway-decides/gateway.yaml");
    let policies = list(&sampler["processors"]["tail_sampling"]["policies"]).iter();
    let composite = policies.clone().find(|it| it["type"] == "composite");
    let composite = &composite.expect("one")["composite"];
    assert_eq!(
        number(&assumed["tail_spans_per_second"]),
        number(&composite["max_total_spans_per_second"])
    );
    let mut percentages = Vec::new();
    percentages_in(composite, &mut percentages);
    let assumed_of_the_tail = number(&assumed["tail_percentage"]);
    assert!(!percentages.is_empty());
    assert!(
        percentages.iter().all(|it| *it == assumed_of_the_tail),
        "{percentages:?}"
    );
    let defaults = Config::parse(br#"{"sampling": {}}"#).expect("the defaults");
    let keep = defaults.sampling.expect("sampling").keep;
    assert_eq!(
        number(&assumed["kept_spans_per_second"]),
        keep.spans_per_second
    );
}

/// Collects every `sampling_percentage` below a value.
fn percentages_in(value: &Value, all: &mut Vec<f64>) {
    match value {
        Value::Object(fields) => {
            for (name, field) in fields {
                match name.as_str() {
                    "sampling_percentage" => all.push(number(field)),
                    _ => percentages_in(field, all),
                }
            }
        }
        Value::Array(items) => items.iter().for_each(|item| percentages_in(item, all)),
        _ => {}
    }
}

fn number(value: &Value) -> f64 {
    value
        .as_f64()
        .unwrap_or_else(|| panic!("no number: {value}"))
}
