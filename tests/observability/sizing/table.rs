//! The tables of the page.

use super::cost::{Cost, Mesh};

/// The least that is written as a number.
const LEAST: f64 = 0.001;
/// Percentages of the filter that the page shows.
const PERCENTAGES: [f64; 2] = [10.0, 1.0];
/// The percentage that an incident meets.
const INCIDENT: f64 = 1.0;
/// The multiple of the usual to which a limit holds an incident.
const TIMES: f64 = 10.0;

pub(super) fn made(meshes: &[Mesh]) -> String {
    let head = "| services | pods | nodes | requests/s | calls of each | spans of each | spans/s of all |\n|---:|---:|---:|---:|---:|---:|---:|\n";
    let rows = meshes.iter().map(|mesh| {
        row(&[
            mesh.services,
            mesh.pods(),
            mesh.nodes(),
            mesh.requests,
            mesh.calls,
            mesh.spans_of_a_request(),
            mesh.all(),
        ])
    });
    head.to_owned() + &rows.collect::<String>()
}

pub(super) fn filter_decides(meshes: &[Mesh]) -> String {
    let rows = meshes.iter().flat_map(|mesh| {
        PERCENTAGES.map(|percentage| {
            let cost = mesh.filter_decides(percentage / 100.0, usual(mesh));
            line(mesh, percentage, &cost)
        })
    });
    HEAD.to_owned() + &rows.collect::<String>()
}

pub(super) fn gateway_decides(meshes: &[Mesh]) -> String {
    let rows = meshes
        .iter()
        .map(|mesh| line(mesh, 100.0, &mesh.gateway_decides(usual(mesh))));
    HEAD.to_owned() + &rows.collect::<String>()
}

pub(super) fn incident(meshes: &[Mesh]) -> String {
    let rows = meshes.iter().map(|mesh| {
        let sampled = INCIDENT / 100.0;
        let usual = mesh.filter_decides(sampled, usual(mesh));
        let failing = mesh.assumed("failing_in_an_incident") / 100.0;
        let now = mesh.filter_decides(sampled, failing);
        let tail = mesh.gateway_decides(failing);
        row(&[
            mesh.services,
            usual.spans,
            now.spans,
            now.spans / usual.spans,
            now.proxy_cores - usual.proxy_cores,
            now.queue_seconds,
            now.jaeger_gigabytes_a_day / 24.0,
            mesh.limit(TIMES * usual.spans - mesh.all() * INCIDENT / 100.0),
            tail.stored,
            tail.jaeger_gigabytes_a_day / 24.0,
        ])
    });
    INCIDENTS.to_owned() + &rows.collect::<String>()
}

fn usual(mesh: &Mesh) -> f64 {
    mesh.assumed("failing") / 100.0
}

fn line(mesh: &Mesh, percentage: f64, cost: &Cost) -> String {
    row(&[
        mesh.services,
        percentage,
        cost.spans,
        cost.megabytes[0],
        cost.megabytes[1],
        cost.proxy_cores,
        cost.agent_cores,
        cost.gateways,
        cost.gateway_gib,
        cost.gateway_cores,
        cost.stored,
        cost.jaeger_cores,
        cost.jaeger_gigabytes_a_day,
    ])
}

fn row(numbers: &[f64]) -> String {
    let cells: Vec<String> = numbers.iter().map(|it| written(*it)).collect();
    format!("| {} |\n", cells.join(" | "))
}

/// Writes a number with two digits that count, and below a thousand all in front of the point.
fn written(number: f64) -> String {
    if number > 0.0 && number < LEAST {
        return format!("< {LEAST}");
    }
    if number < 10.0 && number.fract() != 0.0 {
        let places = match number {
            _ if number < 0.1 => 3,
            _ if number < 1.0 => 2,
            _ => 1,
        };
        return format!("{number:.places$}");
    }
    let unit = match number {
        _ if number < 1_000.0 => 1.0,
        _ => 10_f64.powf(number.log10().floor() - 1.0),
    };
    let rounded = (number / unit).round() * unit;
    let digits = format!("{rounded:.0}");
    let mut out = String::new();
    for (index, digit) in digits.chars().enumerate() {
        if index > 0 && (digits.len() - index).is_multiple_of(3) {
            out.push(',');
        }
        out.push(digit);
    }
    out
}

const HEAD: &str = "| services | % | spans/s sent | MB/s | with gzip | cores at proxies | of agents | gateways | their GiB | their cores | spans/s stored | Jaeger's cores | its GB a day |\n|---:|---:|---:|---:|---:|---:|---:|---:|---:|---:|---:|---:|---:|\n";

const INCIDENTS: &str = "| services | spans/s, usual | in the incident | times | cores at proxies, more | an agent's queue lasts, s | Jaeger, GB an hour | `spansPerSecond` for ten times the usual | the gateway decides: spans/s stored | Jaeger, GB an hour |\n|---:|---:|---:|---:|---:|---:|---:|---:|---:|---:|\n";
