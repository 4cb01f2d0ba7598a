//! One Envoy with three listeners, which have the same routes and differ in the direction of their traffic, and the
//! upstreams and the collector behind it.

use std::collections::HashMap;
use std::net::SocketAddr;

use serde_json::{Value, json};
use sidespan_envoy::{Bootstrap, Cluster, Direction, Envoy, HttpFilter, Listener, Node, Protocol};
use sidespan_tests::collector::Collector;
use sidespan_tests::envoy::{self, filter};
use sidespan_tests::http::{Request, Server, send};
use tokio::net::TcpSocket;
use tokio::runtime::Runtime;

use super::upstream::{self, Board};

/// The listener of an exchange, which determines the spans.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Way {
    Inbound,
    Outbound,
    Edge,
}

impl Way {
    pub(super) const ALL: [Self; 3] = [Self::Inbound, Self::Outbound, Self::Edge];

    pub(super) fn name(self) -> &'static str {
        match self {
            Self::Inbound => "inbound",
            Self::Outbound => "outbound",
            Self::Edge => "edge",
        }
    }
}

pub(super) struct Scene {
    pub(super) runtime: Runtime,
    pub(super) board: Board,
    pub(super) collector: Collector,
    /// Ports, and their names in the table.
    pub(super) ports: HashMap<i64, &'static str>,
    envoy: Envoy,
    _http1: Server,
    // Bound and not listening, so that no other process can listen there.
    _refusing: TcpSocket,
}

impl Scene {
    pub(super) fn start() -> Self {
        let runtime = Runtime::new().expect("a runtime");
        let board = Board::default();
        let collector = Collector::start();
        let http1 = upstream::http1(board.clone());
        let http2 = runtime.block_on(upstream::http2(board.clone()));
        let refusing = TcpSocket::new_v4().expect("a socket");
        let refused = "127.0.0.1:0".parse().expect("an address");
        refusing.bind(refused).expect("a free port");
        let refused = refusing.local_addr().expect("a bound socket");
        // Rows run side by side, and by default Envoy allows only three retries at the same time.
        let retried = |name, most: u32| {
            let limits = json!({"thresholds": [{"max_retries": most}]});
            Cluster::new(name, http1.address()).with("circuit_breakers", limits)
        };
        let none_pending = json!({"thresholds": [{"max_pending_requests": 0}]});
        let mut bootstrap = Bootstrap::new(Node::sidecar("payments", "cart-7d9c5b8f6-x2x4z"))
            .cluster(retried("app", 1000))
            .cluster(retried("once", 0))
            .cluster(Cluster::new("app2", http2).protocol(Protocol::Http2))
            .cluster(Cluster::empty("nobody"))
            .cluster(Cluster::new("refused", refused))
            .cluster(Cluster::new("full", http1.address()).with("circuit_breakers", none_pending))
            .cluster(collector.grpc_cluster("collector"));
        for way in Way::ALL {
            bootstrap = bootstrap.listener(listener(way));
        }
        let ports = [
            (http1.address(), "app"),
            (http2, "app2"),
            (refused, "refused"),
        ];
        let envoy = envoy::start(&bootstrap);
        for way in Way::ALL {
            // Takes the one token of the limit, which cannot be set to none.
            let address = envoy.address(way.name()).expect("a listener of the scene");
            send(address, &Request::get("/limited/status/200"));
        }
        Self {
            runtime,
            board,
            collector,
            ports: ports
                .map(|(address, name)| (i64::from(address.port()), name))
                .into(),
            envoy,
            _http1: http1,
            _refusing: refusing,
        }
    }

    pub(super) fn address(&self, way: Way) -> SocketAddr {
        self.envoy
            .address(way.name())
            .expect("a listener of the scene")
    }

    /// Returns Envoy's own log of an exchange, which helps where a span is not as expected.
    pub(super) fn access_log(&self, way: Way) -> String {
        self.envoy.access_log(way.name())
    }
}

fn listener(way: Way) -> Listener {
    let configuration = json!({
        "sampling": {"percentage": 100},
        "spans": {"routes": ["/api/orders/{id}"]},
        "export": {"otlp": {"cluster": "collector"}, "batch": {"maxDelay": "20ms"}},
    });
    let faults = json!({
        "@type": "type.googleapis.com/envoy.extensions.filters.http.fault.v3.HTTPFault",
        "abort": {"header_abort": {}, "percentage": {"numerator": 100}},
    });
    let listener = Listener::new(way.name())
        .filter(filter(&configuration).filter())
        .filter(HttpFilter::new("envoy.filters.http.fault", faults))
        .filter(HttpFilter::new(RATE_LIMIT, limits(json!({}))))
        .with("route_config", routes())
        .with("http2_protocol_options", json!({"allow_connect": true}))
        .with("upgrade_configs", json!([{"upgrade_type": "websocket"}]))
        .access_log("%REQ(TRACEPARENT)% %RESPONSE_CODE% %RESPONSE_FLAGS% %RESPONSE_CODE_DETAILS%");
    match way {
        Way::Inbound => listener.direction(Direction::Inbound),
        Way::Outbound => listener.direction(Direction::Outbound),
        Way::Edge => listener,
    }
}

/// The time without any event after which the proxy ends an exchange.
const SOON: &str = "0.3s";
/// A longer time, within which a response must have started, also on a busy machine.
const LATER: &str = "1s";

const RATE_LIMIT: &str = "envoy.filters.http.local_ratelimit";

fn limits(more: Value) -> Value {
    let mut limits = json!({
        "@type": "type.googleapis.com/envoy.extensions.filters.http.local_ratelimit.v3.LocalRateLimit",
        "stat_prefix": "limits",
    });
    for (name, value) in more.as_object().into_iter().flatten() {
        limits[name] = value.clone();
    }
    limits
}

/// Returns the routes: the first segment of a path names the route, the second the upstream's behaviour. There is no route
/// for `/nowhere`.
fn routes() -> Value {
    let to = |prefix: &str, cluster: &str, more: Value| {
        let mut action = json!({"cluster": cluster, "timeout": "0s"});
        for (name, value) in more.as_object().into_iter().flatten() {
            action[name] = value.clone();
        }
        json!({"match": {"prefix": prefix}, "route": action})
    };
    let retries = |per_try_timeout: &str| {
        json!({"retry_policy": {
            "retry_on": "5xx",
            "num_retries": 2,
            "per_try_timeout": per_try_timeout,
            "retry_back_off": {"base_interval": "0.001s", "max_interval": "0.002s"},
        }})
    };
    let tunnel = json!([{"upgrade_type": "CONNECT", "connect_config": {}}]);
    let lasts = |time: &str| json!({"max_stream_duration": {"max_stream_duration": time}});
    let all = json!({"default_value": {"numerator": 100}});
    let none = limits(json!({
        "token_bucket": {"max_tokens": 1, "tokens_per_fill": 1, "fill_interval": "3600s"},
        "filter_enabled": all,
        "filter_enforced": all,
    }));
    let mut limited = to("/limited", "app", json!({}));
    limited["typed_per_filter_config"] = json!({RATE_LIMIT: none});
    let mut conflicts = retries("10s");
    conflicts["retry_policy"]["retry_on"] = "retriable-4xx".into();
    let routes = json!([
        {
            "match": {"connect_matcher": {}},
            "route": {"cluster": "app", "upgrade_configs": tunnel},
        },
        {"match": {"prefix": "/direct"}, "direct_response": {"status": 403}},
        {"match": {"prefix": "/moved"}, "redirect": {"path_redirect": "/app/status/200"}},
        to("/app", "app", json!({})),
        to("/api", "app", json!({})),
        to("/h2", "app2", json!({})),
        to("/nobody", "nobody", json!({})),
        to("/refused", "refused", json!({})),
        to("/full", "full", json!({})),
        to("/retry", "app", retries("10s")),
        to("/once", "once", retries("10s")),
        to("/conflicts", "app", conflicts),
        limited,
        to("/impatient/tries", "app", retries(LATER)),
        to("/impatient", "app", retries(SOON)),
        to("/brief/stall", "app", json!({"timeout": LATER})),
        to("/brief", "app", json!({"timeout": SOON})),
        to("/idle/stall", "app", json!({"idle_timeout": LATER})),
        to("/idle", "app", json!({"idle_timeout": SOON})),
        to("/short/stall", "app", lasts(LATER)),
        to("/short", "app", lasts(SOON)),
        to("/follow", "app", json!({"internal_redirect_policy": {}})),
        to("/shop.Nobody/", "nobody", json!({})),
        to("/shop.Refused/", "refused", json!({})),
        to("/shop.Brief/Stall", "app2", json!({"timeout": LATER})),
        to("/shop.Brief/", "app2", json!({"timeout": SOON})),
        to("/shop.", "app2", json!({})),
        to("/cart", "app2", json!({})),
    ]);
    json!({"name": "routes", "virtual_hosts": [{"name": "all", "domains": ["*"], "routes": routes}]})
}
