//! The mesh of the demo: its services, their calls, and a run of the whole.
//!
//! ```text
//!                       frontend   W3C
//!                 ┌────────┴─────────┐
//!               orders            shipping   Jaeger
//!               B3, several          │
//!          ┌──────┴──────┐           │
//!       payments     inventory  notifications   Datadog
//!       B3, one      W3C without     │
//!          │         tracestate      │
//!          └──────┬──────┴───────────┘
//!               ledger   W3C; called three times
//! ```
//!
//! Every service but the last both reads and forwards, so each format is translated from and to another. Invariant:
//! callees stand behind their callers in the list, so calls form no circle.

use std::collections::BTreeMap;
use std::net::SocketAddr;
use std::time::Duration;

use anyhow::Context;
use http::HeaderMap;
use serde_json::Value;
use sidespan_sink::{Sink, SinkConfig, Snapshot};
use tokio::time::timeout;

use super::format::Format;
use super::report::{Expected, Report};
use super::service::{Diary, Service, Spec};
use super::sidecar::{Kind, Launcher, Wiring};
use super::{call, config};
use crate::output;

const MESH: [Spec; 7] = [
    Spec {
        name: "frontend",
        format: Format::W3c,
        path: "/checkout",
        calls: &["orders", "shipping"],
        work: Duration::from_millis(3),
    },
    Spec {
        name: "orders",
        format: Format::B3Multi,
        path: "/orders",
        calls: &["payments", "inventory"],
        work: Duration::from_millis(4),
    },
    Spec {
        name: "payments",
        format: Format::B3Single,
        path: "/charge",
        calls: &["ledger"],
        work: Duration::from_millis(8),
    },
    Spec {
        name: "inventory",
        format: Format::W3cWithoutTracestate,
        path: "/reserve",
        calls: &["ledger"],
        work: Duration::from_millis(5),
    },
    Spec {
        name: "shipping",
        format: Format::Jaeger,
        path: "/shipments",
        calls: &["notifications"],
        work: Duration::from_millis(6),
    },
    Spec {
        name: "notifications",
        format: Format::Datadog,
        path: "/notify",
        calls: &["ledger"],
        work: Duration::from_millis(3),
    },
    Spec {
        name: "ledger",
        format: Format::W3c,
        path: "/entries",
        calls: &[],
        work: Duration::from_millis(2),
    },
];

/// Starts the mesh, sends one request without any trace context through it, and reports the outcome.
///
/// # Errors
/// When the mesh cannot be set up. A failed request or a broken trace is no error but a report.
pub async fn run_mesh(kind: Kind) -> anyhow::Result<Report> {
    run_mesh_with(kind, config::plugin()).await
}

/// Runs the mesh with another configuration of the filter, to see what breaks without a format.
///
/// # Errors
/// When the mesh cannot be set up.
pub async fn run_mesh_with(kind: Kind, plugin: Value) -> anyhow::Result<Report> {
    let sink = Sink::start(SinkConfig::default()).await?;
    let report = run_mesh_into(&sink, kind, plugin).await;
    sink.stop().await;
    report
}

/// Runs the mesh with a sink that has no span yet, and keeps them.
pub(super) async fn run_mesh_into(
    sink: &Sink,
    kind: Kind,
    plugin: Value,
) -> anyhow::Result<Report> {
    let launcher = Launcher::prepare(kind).await?;
    let diary = Diary::default();
    let sidecar = match kind {
        Kind::BuiltIn => "a sidecar on the built-in host",
        Kind::Envoy => "an Envoy as its sidecar",
    };
    let services = MESH.len();
    output::progress(&format!(
        "starting {services} services, each with {sidecar}"
    ));

    let mut services = Vec::new();
    let mut sidecars = Vec::new();
    let mut inbound: BTreeMap<&str, SocketAddr> = BTreeMap::new();
    // The last service starts first, because a sidecar must know the addresses of its service's callees.
    for spec in MESH.iter().rev() {
        let service = Service::start(*spec, path_of, diary.clone()).await?;
        let peer = |name: &&'static str| inbound.get(name).map(|address| (*name, *address));
        let wiring = Wiring {
            service: spec.name,
            app: service.address(),
            peers: spec.calls.iter().filter_map(peer).collect(),
            collector: sink.grpc_addr(),
            plugin: plugin.to_string(),
        };
        let sidecar = launcher.start(wiring).await;
        let sidecar = sidecar.with_context(|| format!("starting the sidecar of {}", spec.name))?;
        service.call_through(sidecar.outbound());
        inbound.insert(spec.name, sidecar.inbound());
        services.push(service);
        sidecars.push(sidecar);
    }

    let [first, ..] = MESH;
    let door = inbound.get(first.name).copied();
    let door = door.context("the first service has no sidecar")?;
    let request = call::get(door, first.name, first.path, HeaderMap::new());
    let answer = match timeout(PATIENCE, request).await {
        Ok(Ok((status, text))) if status.is_success() => Ok(text),
        Ok(Ok((status, text))) => Err(format!("{} answered {status}: {text}", first.name)),
        Ok(Err(error)) => Err(format!("{} did not answer: {error:#}", first.name)),
        Err(_) => Err(format!("{} did not answer within {PATIENCE:?}", first.name)),
    };
    let expected = expected();
    settle(sink, expected.values().map(Expected::spans).sum()).await;
    for sidecar in sidecars {
        sidecar.stop().await?;
    }
    let spans = sink.spans();
    Ok(Report::new(
        kind,
        plugin,
        expected,
        answer.err(),
        diary.hops(),
        &spans,
    ))
}

/// Waits until the collector has this many spans, or until no more come; the report names the missing ones.
async fn settle(sink: &Sink, wanted: usize) {
    let mut seen = sink.spans().len();
    while seen < wanted {
        let more = |now: &Snapshot| Some(now.spans.len()).filter(|here| *here > seen);
        match sink.wait_for(QUIET, more).await {
            Ok(here) => seen = here,
            Err(_) => break,
        }
    }
}

fn path_of(service: &str) -> &'static str {
    let spec = MESH.iter().find(|spec| spec.name == service);
    spec.map_or("/", |spec| spec.path)
}

/// Counts the requests and calls of each service when the first service is called once.
fn expected() -> BTreeMap<&'static str, Expected> {
    let mut expected: BTreeMap<&str, Expected> = BTreeMap::new();
    let mut waiting: Vec<&str> = MESH.iter().take(1).map(|spec| spec.name).collect();
    while let Some(name) = waiting.pop() {
        if let Some(spec) = MESH.iter().find(|spec| spec.name == name) {
            let entry = expected.entry(spec.name).or_default();
            entry.requests += 1;
            entry.calls += spec.calls.len();
            waiting.extend(spec.calls);
        }
    }
    expected
}

/// Time limit of the demo's request, far longer than it takes also on a busy machine.
const PATIENCE: Duration = Duration::from_secs(15);
/// Time without a new span after which no more are expected: many times the delay of a batch.
const QUIET: Duration = Duration::from_secs(2);

#[cfg(test)]
mod tests {
    use std::time::Instant;

    use super::*;

    #[tokio::test]
    async fn one_whole_trace_comes_out_of_the_built_in_host() {
        let report = run_mesh(Kind::BuiltIn).await.unwrap();
        assert_eq!(report.problems, [""; 0]);
        assert_eq!((report.hops.len(), report.spans.len()), (9, 17));
    }

    #[tokio::test]
    async fn a_format_that_is_not_injected_breaks_the_trace_at_its_service() {
        let mut plugin = config::plugin();
        plugin["propagation"] = serde_json::json!({"inject": ["tracecontext", "b3"]});
        let report = run_mesh_with(Kind::BuiltIn, plugin).await.unwrap();
        let blind = "received no context that it can read";
        assert_eq!(
            report.problems.get(..3),
            Some(
                &[
                    format!("orders: {blind} (B3, several headers)"),
                    format!("shipping: {blind} (Jaeger)"),
                    format!("notifications: {blind} (Datadog)"),
                ][..]
            )
        );
        assert_eq!(
            report.trace_id, None,
            "each of its calls began a trace of its own"
        );
    }

    #[tokio::test]
    async fn finds_out_soon_that_the_filter_stands_aside() {
        let refused = serde_json::json!({"sampling": 7});
        let before = Instant::now();
        let report = run_mesh_with(Kind::BuiltIn, refused).await.unwrap();
        assert!(before.elapsed() < PATIENCE, "{:?}", before.elapsed());
        assert_eq!((report.hops.len(), report.spans.len()), (9, 0));
        assert_eq!(
            report.problems.first().map(String::as_str),
            Some("frontend: received no context that it can read (W3C Trace Context)")
        );
    }

    #[test]
    fn callees_stand_behind_their_callers() {
        for (index, spec) in MESH.iter().enumerate() {
            for callee in spec.calls {
                let place = MESH.iter().position(|other| other.name == *callee);
                assert!(place > Some(index), "{} calls {callee}", spec.name);
            }
        }
    }

    #[test]
    fn expects_a_span_on_each_side_of_every_call() {
        let expected = expected();
        let spans: usize = expected.values().map(Expected::spans).sum();
        assert_eq!(expected.len(), MESH.len(), "every service is reached");
        assert_eq!(spans, 17);
        assert_eq!(
            (expected["ledger"].requests, expected["orders"].calls),
            (3, 2)
        );
    }

    #[test]
    fn each_format_is_read_and_forwarded_and_calls_branch() {
        for format in Format::ALL {
            let forwards = |spec: &Spec| spec.format == format && !spec.calls.is_empty();
            assert!(MESH.iter().any(forwards), "{format:?}");
        }
        assert!(MESH.iter().filter(|spec| spec.calls.len() > 1).count() > 1);
    }
}
