//! A sidecar, and requests that make spans of every kind.

use serde_json::{Value, json};
use sidespan_envoy::{Bootstrap, Cluster, Direction, Envoy, Listener, Node, Route};
use sidespan_tests::caller::Caller;
use sidespan_tests::envoy::{self, filter, wait_for_counter};
use sidespan_tests::http::{Reply, Request, Server, send};

/// A destination of spans, and the protocol to it.
pub(super) struct Export {
    pub(super) name: &'static str,
    pub(super) cluster: Cluster,
    pub(super) protocol: &'static str,
}

/// The sidecar, with listeners of every direction for every export.
pub(super) struct Traffic {
    envoy: Envoy,
    exports: Vec<&'static str>,
    _app: Server,
}

/// The number of spans that the requests make for one export.
pub(super) const SPANS: usize = 8;

impl Traffic {
    pub(super) fn start(exports: Vec<Export>) -> Self {
        let app = Server::start(|request| match request.path.as_str() {
            "/fails" => Reply::status(500),
            _ => Reply::status(200),
        });
        let node = Node::sidecar("payments", "cart-7d9c5b8f6-x2x4z");
        let mut bootstrap = Bootstrap::new(node)
            .cluster(Cluster::new("app", app.address()))
            .cluster(Cluster::empty("nobody"));
        let mut names = Vec::new();
        for Export {
            name,
            cluster,
            protocol,
        } in exports
        {
            let listener = |kind: &str, direction: &str, context: &str| {
                let configuration = configuration(name, protocol, direction, context);
                let listener = Listener::new(&format!("{kind}-{name}"))
                    .route(Route::to("nobody").prefix("/nobody"))
                    .route(Route::to("app"));
                listener
                    .direction(Direction::Inbound)
                    .filter(filter(&configuration).filter())
            };
            bootstrap = bootstrap
                .cluster(cluster)
                .listener(listener("inbound", "inbound", "accept"))
                .listener(listener("outbound", "outbound", "accept"))
                .listener(listener("edge", "edge", "restart"));
            names.push(name);
        }
        Self {
            envoy: envoy::start(&bootstrap),
            exports: names,
            _app: app,
        }
    }

    /// Sends the requests, for every export, and waits until all spans have been accepted.
    pub(super) fn flow(&self) {
        for export in &self.exports {
            for (listener, request, status) in requests() {
                let listener = format!("{listener}-{export}");
                let address = self.envoy.address(&listener).expect("a listener");
                assert_eq!(send(address, &request).status, status, "{request:?}");
            }
        }
        let all = self.exports.len() * SPANS;
        wait_for_counter(&self.envoy, "spans.exported", |count| count == all as u64);
        assert_eq!(envoy::counter(&self.envoy, "export.failures"), 0);
    }
}

fn configuration(cluster: &str, protocol: &str, direction: &str, context: &str) -> Value {
    json!({
        "sampling": {"percentage": 100},
        "direction": direction,
        "trust": {"context": context},
        "spans": {"attributes": [{"name": "team", "baggage": "team"}]},
        "export": {
            "otlp": {"cluster": cluster, "protocol": protocol},
            "batch": {"maxDelay": "20ms"},
        },
    })
}

/// Returns listeners, requests to them, and the statuses of the responses.
fn requests() -> Vec<(&'static str, Request, u16)> {
    let (caller, other, outside) = (Caller::fresh(), Caller::fresh(), Caller::fresh());
    vec![
        // A request with everything that one can have, and a name that is no UTF-8.
        (
            "inbound",
            Request::get("/orders/7?of=m%C3%BCller&sig=secret")
                .header("traceparent", caller.traceparent())
                .header("tracestate", "vendor=1,other@system=x/y")
                .header("baggage", "team=gr%C3%BCn")
                .header("user-agent", b"caf\xe9/1.0 \xff")
                .header("x-forwarded-for", "203.0.113.7"),
            200,
        ),
        // A root.
        ("outbound", Request::get("/"), 200),
        // Two formats that differ: a link.
        (
            "inbound",
            Request::new("PROPFIND", "/")
                .header("traceparent", caller.traceparent())
                .header("b3", other.b3()),
            200,
        ),
        // A SERVER span and a CLIENT span below it, and a link to the context that is not continued.
        (
            "edge",
            Request::get("/")
                .header("traceparent", outside.traceparent())
                .header("tracestate", "vendor=1"),
            200,
        ),
        ("inbound", Request::get("/fails"), 500),
        ("outbound", Request::get("/fails"), 500),
        // The proxy's own response.
        ("outbound", Request::get("/nobody"), 503),
    ]
}
