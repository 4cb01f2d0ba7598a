//! Headers that leave Envoy, written by its own tracers and by the filter, side by side.
//!
//! Each row is a request at which a native tracer errs, or is right, with the rule for what the filter does. Both columns
//! are asserted, on the same Envoy: the left one so that the table stays true when Envoy changes, the right one because it
//! is our promise. `cargo test native -- --nocapture` prints the table.

mod render;
mod rows;

use std::fmt::Write;

use serde_json::json;
use sidespan_envoy::{
    Bootstrap, Cluster, Direction, Envoy, Listener, Node, Route, Tracer, ZipkinContext,
};
use sidespan_tests::envoy::{self, filter};
use sidespan_tests::http::{Request, Server, send};

use render::{left, sent};
use rows::{Native, Ours, ROWS, Row};

#[test]
#[cfg_attr(no_envoy, ignore = "no Envoy 1.40.0 for this machine")]
fn the_headers_that_leave_envoy() {
    let upstream = Server::ok();
    let envoy = start(&upstream);
    let mut table = String::from(
        "| tracer | request | native leaves as | ours leaves as | rule |\n|---|---|---|---|---|\n",
    );
    let mut wrong = String::new();
    for (index, row) in ROWS.iter().enumerate() {
        let path = format!("/{index}");
        let native = leaves(
            &envoy,
            row.native.listener(),
            &upstream,
            &format!("{path}/native"),
            row,
        );
        let ours = leaves(
            &envoy,
            row.ours.listener(),
            &upstream,
            &format!("{path}/ours"),
            row,
        );
        let same = if native == ours { " (as native)" } else { "" };
        let (tracer, request, rule) = (row.native.name(), sent(row.headers), row.rule);
        writeln!(
            table,
            "| {tracer} | {request} | {native} | {ours}{same} | {rule} |"
        )
        .expect("a string takes all");
        for (column, found, expected) in [
            ("native", native, row.native_leaves),
            ("ours", ours, row.ours_leaves),
        ] {
            if found != expected {
                writeln!(
                    wrong,
                    "{request}\n  {column} left as {found}\n  expected   {expected}"
                )
                .expect("as above");
            }
        }
    }
    println!("{table}");
    assert!(wrong.is_empty(), "\n{wrong}");
}

/// Sends the row's request through a listener and returns what arrived behind it.
fn leaves(envoy: &Envoy, listener: &str, upstream: &Server, path: &str, row: &Row) -> String {
    let address = envoy
        .address(listener)
        .expect("a listener for every tracer");
    let response = send(address, &Request::get(path).headers(row.headers));
    assert_eq!(response.status, 200);
    left(&upstream.only(path).headers)
}

fn start(upstream: &Server) -> Envoy {
    let never = json!({
        "name": "envoy.tracers.opentelemetry.samplers.cel",
        "typed_config": {
            "@type": "type.googleapis.com/envoy.extensions.tracers.opentelemetry.samplers.v3.CELSamplerConfig",
            "expression": {"parsed_expr": {"expr": {"id": 1, "const_expr": {"bool_value": false}}}},
        },
    });
    let otel = || Tracer::opentelemetry("collector", "app");
    let tracers = [
        (Native::Otel, otel()),
        (Native::OtelAtZero, otel().random_sampling(0.0)),
        (Native::OtelNever, otel().provider("sampler", never)),
        (
            Native::Zipkin,
            Tracer::zipkin("collector", ZipkinContext::B3),
        ),
        (
            Native::ZipkinAndW3c,
            Tracer::zipkin("collector", ZipkinContext::B3AndW3c),
        ),
    ];
    let filters = [
        (
            Ours::All,
            json!({"sampling": {"percentage": 100, "consistent": false}}),
        ),
        (
            Ours::AtZero,
            json!({"sampling": {"percentage": 0, "consistent": false}}),
        ),
        (Ours::TranslationOnly, json!({})),
    ];
    let inbound = |name: &str| {
        Listener::new(name)
            .direction(Direction::Inbound)
            .route(Route::to("app"))
    };
    let mut bootstrap = Bootstrap::new(Node::sidecar("payments", "app-7d9c5b8f6-x2x4z"))
        .cluster(Cluster::new("app", upstream.address()))
        .cluster(Cluster::empty("collector"));
    for (native, tracer) in tracers {
        bootstrap = bootstrap.listener(inbound(native.listener()).tracer(tracer));
    }
    for (ours, configuration) in filters {
        bootstrap =
            bootstrap.listener(inbound(ours.listener()).filter(filter(&configuration).filter()));
    }
    envoy::start(&bootstrap)
}
