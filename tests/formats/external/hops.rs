//! Hops: traces behind services that pass on the headers of a guide, behind a gRPC service with a real client and server,
//! and behind another vendor's proxy. On real Envoy; `cargo test hops -- --nocapture` prints the table.
//!
//! ```text
//! test ── inbound ── service ── outbound ── test      a client ── outbound ── inbound ── a server
//! ```

mod grpc;

use std::fmt::Write;
use std::net::SocketAddr;
use std::sync::{Arc, OnceLock};

use serde_json::json;
use sidespan_envoy::{Bootstrap, Cluster, Direction, Envoy, Listener, Node, Route};
use sidespan_sink::{SpanKind, StoredSpan};
use sidespan_tests::caller::Caller;
use sidespan_tests::collector::Collector;
use sidespan_tests::envoy::{self, filter};
use sidespan_tests::http::{Headers, Received, Reply, Request, Server, send};

/// The headers of Istio's "Distributed Tracing FAQ", in its order.
const ISTIO: [&str; 9] = [
    "x-request-id",
    "traceparent",
    "tracestate",
    "x-b3-traceid",
    "x-b3-spanid",
    "x-b3-parentspanid",
    "x-b3-sampled",
    "x-b3-flags",
    "b3",
];

/// The id of the span that linkerd's proxy makes.
const LINKERD_SPAN: &str = "11ce4d0000000001";

/// A service, by its treatment of the headers that it gets.
#[derive(Clone, Copy, PartialEq, Eq)]
enum Service {
    /// Passes these headers on, and no other.
    Forwards(&'static [&'static str]),
    /// Passes all headers on and rewrites the first format that it finds: W3C, `grpc-trace-bin`, B3 in several headers.
    Linkerd,
}

/// A hop, and the trace's state behind it.
struct Hop {
    name: &'static str,
    listener: &'static str,
    service: Service,
    arrives: &'static str,
    parent: Parent,
}

/// The parent of the outbound span.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Parent {
    /// The inbound span of the same proxy.
    Inbound,
    /// The span of linkerd's proxy between them.
    Linkerd,
    /// None: the span is the root of another trace.
    Nothing,
}

const HOPS: [Hop; 6] = [
    Hop {
        name: "Istio's nine headers",
        listener: "usual",
        service: Service::Forwards(&ISTIO),
        arrives: "traceparent tracestate b3 x-b3-traceid x-b3-spanid x-b3-sampled",
        parent: Parent::Inbound,
    },
    Hop {
        name: "half of them: B3's ids, no decision",
        listener: "usual",
        service: Service::Forwards(&[
            "x-request-id",
            "x-b3-traceid",
            "x-b3-spanid",
            "x-b3-parentspanid",
        ]),
        // The decision is taken here, and written with its probability.
        arrives: "traceparent tracestate x-b3-traceid x-b3-spanid x-b3-sampled",
        parent: Parent::Inbound,
    },
    Hop {
        name: "the other half: no ids",
        listener: "usual",
        service: Service::Forwards(&["x-request-id", "tracestate", "x-b3-sampled", "x-b3-flags"]),
        arrives: "traceparent x-b3-traceid x-b3-spanid x-b3-sampled",
        parent: Parent::Nothing,
    },
    Hop {
        name: "linkerd2-proxy that finds W3C",
        listener: "usual",
        service: Service::Linkerd,
        arrives: "traceparent tracestate b3 x-b3-traceid x-b3-spanid x-b3-sampled",
        parent: Parent::Linkerd,
    },
    Hop {
        name: "linkerd2-proxy that finds grpc-trace-bin",
        listener: "b3multi-and-grpc",
        service: Service::Linkerd,
        // B3 is read before grpc-trace-bin, so its stale span becomes the parent: linkerd's own span is a sibling of ours.
        arrives: "x-b3-traceid x-b3-spanid x-b3-sampled grpc-trace-bin",
        parent: Parent::Inbound,
    },
    Hop {
        name: "linkerd2-proxy that finds B3",
        listener: "b3multi-and-jaeger",
        service: Service::Linkerd,
        arrives: "x-b3-traceid x-b3-spanid x-b3-sampled uber-trace-id",
        parent: Parent::Linkerd,
    },
];

#[test]
#[cfg_attr(no_envoy, ignore = "no Envoy 1.40.0 for this machine")]
fn what_arrives_behind_services_that_hand_on_what_guides_tell_them() {
    let scene = Scene::start();
    let mut table = String::from("| hop | arrives | the outbound span's parent |\n|---|---|---|\n");
    let mut wrong = String::new();
    for (number, hop) in HOPS.iter().enumerate() {
        let (arrives, parent) = scene.passes(number, hop);
        writeln!(table, "| {} | {arrives} | {parent:?} |", hop.name).expect("a string takes all");
        if (arrives.as_str(), parent) != (hop.arrives, hop.parent) {
            writeln!(wrong, "{}: {arrives}, {parent:?}", hop.name).expect("a string takes all");
        }
    }
    println!("{table}");
    assert!(wrong.is_empty(), "\n{wrong}");
}

struct Scene {
    envoy: Envoy,
    collector: Collector,
    behind: Server,
    _service: Server,
}

impl Scene {
    fn start() -> Self {
        let (collector, behind) = (Collector::start(), Server::ok());
        let outbound: Arc<OnceLock<Vec<SocketAddr>>> = Arc::default();
        let ways_out = Arc::clone(&outbound);
        let service = Server::start(move |request| answer(request, &ways_out));
        let mut bootstrap = Bootstrap::new(Node::sidecar("payments", "cart-7d9c5b8f6-x2x4z"))
            .cluster(Cluster::new("service", service.address()))
            .cluster(Cluster::new("behind", behind.address()))
            .cluster(collector.grpc_cluster("collector"));
        for (name, inject, mirror) in CONFIGURATIONS {
            let configuration = json!({
                "propagation": {"inject": inject, "mirror": mirror},
                "sampling": {"percentage": 100},
                "export": {"otlp": {"cluster": "collector"}, "batch": {"maxDelay": "20ms"}},
            });
            for (side, direction, cluster) in [
                ("", Direction::Inbound, "service"),
                ("-out", Direction::Outbound, "behind"),
            ] {
                let listener = Listener::new(&format!("{name}{side}"))
                    .direction(direction)
                    .route(Route::to(cluster))
                    .filter(filter(&configuration).filter());
                bootstrap = bootstrap.listener(listener);
            }
        }
        let envoy = envoy::start(&bootstrap);
        let addresses = CONFIGURATIONS.map(|(name, ..)| {
            let address = envoy.address(&format!("{name}-out"));
            address.expect("an outbound listener")
        });
        outbound.set(addresses.into()).expect("set once");
        Self {
            envoy,
            collector,
            behind,
            _service: service,
        }
    }

    /// Sends one sampled request over the hop; returns the headers of contexts behind it, and the outbound span's parent.
    fn passes(&self, number: usize, hop: &Hop) -> (String, Parent) {
        let caller = Caller::fresh();
        let request = Request::get(&format!("/{number}"))
            .header("traceparent", caller.traceparent())
            .header("tracestate", "vendor=1")
            .header("b3", caller.b3());
        let address = self.envoy.address(hop.listener).expect("a listener");
        assert_eq!(send(address, &request).status, 200);
        let arrived = self.behind.only(&format!("/{number}")).headers;
        let names = NAMES.into_iter().filter(|name| arrived.has(name));
        let names: Vec<&str> = names.collect();

        let [trace_id, span_id] = ids(&arrived);
        if hop.parent != Parent::Nothing {
            assert_eq!(trace_id, caller.trace_id, "{}", hop.name);
        }
        let inbound = self.span(&caller.trace_id, SpanKind::Server);
        assert_eq!(inbound.parent_span_id.as_ref(), Some(&caller.span_id));
        let outbound = self.span(&trace_id, SpanKind::Client);
        assert_eq!(outbound.span_id, span_id, "{}", hop.name);
        let parent = match outbound.parent_span_id.as_deref() {
            None => Parent::Nothing,
            Some(LINKERD_SPAN) => Parent::Linkerd,
            Some(id) if id == inbound.span_id => Parent::Inbound,
            Some(id) => panic!("{}: {id} is nobody's span", hop.name),
        };
        (names.join(" "), parent)
    }

    fn span(&self, trace_id: &str, kind: SpanKind) -> StoredSpan {
        self.collector.wait(|now| {
            let spans = now.trace(trace_id);
            spans.iter().find(|span| span.kind == kind).cloned()
        })
    }
}

/// Returns the trace and the span, on which all formats that arrived must agree.
fn ids(arrived: &Headers) -> [String; 2] {
    let ids = match arrived.one("traceparent") {
        Some(traceparent) => {
            let fields: Vec<&str> = traceparent.split('-').collect();
            [fields[1].to_owned(), fields[2].to_owned()]
        }
        None => ["x-b3-traceid", "x-b3-spanid"].map(|name| arrived.one(name).expect(name)),
    };
    let joined = |between: &str| ids.join(between);
    for (name, expected) in [
        ("b3", format!("{}-1", joined("-"))),
        ("uber-trace-id", format!("{}:0:1", joined(":"))),
        ("x-b3-traceid", ids[0].clone()),
        ("x-b3-spanid", ids[1].clone()),
        ("grpc-trace-bin", grpc::text(&ids[0], &ids[1])),
    ] {
        if arrived.has(name) {
            assert_eq!(arrived.one(name), Some(expected), "MF-11: {name}");
        }
    }
    ids
}

/// Makes the service's own call, through its sidecar, and then answers.
fn answer(request: &Received, ways_out: &OnceLock<Vec<SocketAddr>>) -> Reply {
    let number: usize = request.path[1..].parse().expect("the number of a hop");
    let hop = &HOPS[number];
    let listener = CONFIGURATIONS
        .iter()
        .position(|(name, ..)| *name == hop.listener);
    let ways_out = ways_out.get().expect("requests come after the start");
    let lines = match hop.service {
        Service::Forwards(names) => request.headers.only(names).lines().to_vec(),
        Service::Linkerd => as_linkerd(request.headers.only(&NAMES).lines().to_vec()),
    };
    let call = lines
        .into_iter()
        .fold(Request::get(&request.path), |call, (name, value)| {
            call.header(&name, value)
        });
    send(ways_out[listener.expect("a configuration")], &call);
    Reply::status(200)
}

/// Rewrites the first format of linkerd's order; other formats stay as they are.
fn as_linkerd(mut lines: Vec<(String, Vec<u8>)>) -> Vec<(String, Vec<u8>)> {
    let order = ["traceparent", "grpc-trace-bin", "x-b3-spanid"];
    let found = order
        .into_iter()
        .find(|name| lines.iter().any(|(own, _)| own == name));
    let found = found.expect("it starts nothing");
    // Linkerd reads the id from the header; here the same id is in B3 as well.
    let trace_id = lines
        .iter()
        .find(|(name, _)| name == "x-b3-traceid")
        .cloned();
    let trace_id = trace_id.map(|(_, value)| String::from_utf8_lossy(&value).into_owned());
    for (name, value) in lines.iter_mut().filter(|(name, _)| name == found) {
        let text = String::from_utf8_lossy(value).into_owned();
        *value = match name.as_str() {
            "traceparent" => format!("{}{LINKERD_SPAN}{}", &text[..36], &text[52..]),
            "grpc-trace-bin" => {
                grpc::text(trace_id.as_deref().expect("B3 beside it"), LINKERD_SPAN)
            }
            _ => LINKERD_SPAN.into(),
        }
        .into_bytes();
    }
    lines
}

/// A listener's name, `inject`, and `mirror`.
const CONFIGURATIONS: [(&str, &[&str], bool); 3] = [
    ("usual", &["tracecontext", "b3multi"], true),
    ("b3multi-and-grpc", &["b3multi", "grpc-trace-bin"], false),
    ("b3multi-and-jaeger", &["b3multi", "jaeger"], false),
];

const NAMES: [&str; 10] = [
    "traceparent",
    "tracestate",
    "b3",
    "x-b3-traceid",
    "x-b3-spanid",
    "x-b3-parentspanid",
    "x-b3-sampled",
    "x-b3-flags",
    "uber-trace-id",
    "grpc-trace-bin",
];
