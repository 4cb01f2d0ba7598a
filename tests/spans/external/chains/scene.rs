//! One Envoy with a listener for each chain and each direction, and the upstreams behind it.

use std::convert::Infallible;
use std::net::SocketAddr;

use http_body_util::{BodyExt, Full};
use hyper::body::{Bytes, Incoming};
use hyper::header::{HeaderMap, HeaderValue};
use hyper::server::conn::http2;
use hyper::service::service_fn;
use hyper_util::rt::{TokioExecutor, TokioIo};
use serde_json::{Value, json};
use sidespan_envoy::{Bootstrap, Cluster, Direction, Envoy, Listener, Node, Protocol};
use sidespan_tests::collector::Collector;
use sidespan_tests::envoy::{self, filter};
use sidespan_tests::http::{Reply, Server};
use tokio::net::{TcpListener, TcpSocket};
use tokio::runtime::Runtime;

use super::cases::Case;

/// The direction of a listener, which determines the spans.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Way {
    Inbound,
    Outbound,
    Edge,
}

impl Way {
    pub(super) const ALL: [Self; 3] = [Self::Inbound, Self::Outbound, Self::Edge];
}

pub(super) struct Scene {
    pub(super) collector: Collector,
    envoy: Envoy,
    _runtime: Runtime,
    _http: Server,
    // Bound and not listening, so that no other process can listen there.
    _refusing: TcpSocket,
}

impl Scene {
    pub(super) fn start(cases: &[Case]) -> Self {
        let runtime = Runtime::new().expect("a runtime");
        let collector = Collector::start();
        let http = Server::start(|request| {
            let code = request.path.strip_prefix("/status/");
            match code.map(|code| code.parse().expect("a status")) {
                Some(code) => Reply::status(code),
                None => Reply::Silence,
            }
        });
        let grpc = runtime.block_on(grpc_server());
        let refusing = {
            let _context = runtime.enter();
            TcpSocket::new_v4().expect("a socket")
        };
        let any = "127.0.0.1:0".parse().expect("an address");
        refusing.bind(any).expect("a free port");
        let refused = refusing.local_addr().expect("a bound socket");
        let mut bootstrap = Bootstrap::new(Node::sidecar("payments", "cart-7d9c5b8f6-x2x4z"))
            .cluster(Cluster::new("app", http.address()))
            .cluster(Cluster::new("grpc", grpc).protocol(Protocol::Http2))
            .cluster(Cluster::new("refused", refused))
            .cluster(Cluster::empty("nobody"))
            .cluster(collector.grpc_cluster("collector"))
            .listener(
                Listener::new("plain")
                    .direction(Direction::Inbound)
                    .filter(filter(&configuration()).filter())
                    .with("route_config", routes()),
            );
        for (index, case) in cases.iter().enumerate() {
            for way in Way::ALL {
                bootstrap = bootstrap.listener(listener(case, &name(index, way), way));
            }
        }
        Self {
            envoy: envoy::start(&bootstrap),
            collector,
            _runtime: runtime,
            _http: http,
            _refusing: refusing,
        }
    }

    /// Returns the address of the listener with this case's chain; `index` is its place among the cases.
    pub(super) fn address(&self, index: usize, way: Way) -> SocketAddr {
        let address = self.envoy.address(&name(index, way));
        address.expect("a listener of the scene")
    }

    /// Returns the address of an inbound listener with our filter alone.
    pub(super) fn plain(&self) -> SocketAddr {
        self.envoy
            .address("plain")
            .expect("a listener of the scene")
    }
}

fn name(index: usize, way: Way) -> String {
    format!("{index}-{way:?}")
}

fn configuration() -> Value {
    json!({
        "sampling": {"percentage": 0, "keep": {"spansPerSecond": 1000}},
        "export": {"otlp": {"cluster": "collector"}, "batch": {"maxDelay": "20ms"}},
    })
}

fn listener(case: &Case, name: &str, way: Way) -> Listener {
    let mut listener = Listener::new(name);
    for other in &case.front {
        listener = listener.filter(other.clone());
    }
    listener = listener.filter(filter(&configuration()).filter());
    for other in &case.behind {
        listener = listener.filter(other.clone());
    }
    if let Some(config) = &case.local_replies {
        listener = listener.with("local_reply_config", config.clone());
    }
    let listener = listener.with("route_config", routes());
    match way {
        Way::Inbound => listener.direction(Direction::Inbound),
        Way::Outbound => listener.direction(Direction::Outbound),
        Way::Edge => listener,
    }
}

/// Returns the routes. There is none for `/nowhere`.
fn routes() -> Value {
    let to = |prefix: &str, cluster: &str| json!({"match": {"prefix": prefix}, "route": {"cluster": cluster}});
    let mut silence = to("/silence", "app");
    silence["route"]["timeout"] = "0.2s".into();
    let mut cors = to("/cors", "app");
    cors["typed_per_filter_config"] = json!({"envoy.filters.http.cors": {
        "@type": "type.googleapis.com/envoy.extensions.filters.http.cors.v3.CorsPolicy",
        "allow_origin_string_match": [{"exact": "http://web.test"}],
        "allow_methods": "GET",
    }});
    let routes = json!([
        {"match": {"prefix": "/direct"}, "direct_response": {"status": 200}},
        {"match": {"prefix": "/broken"}, "direct_response": {"status": 500}},
        {"match": {"prefix": "/moved"}, "redirect": {"path_redirect": "/status/200"}},
        to("/status", "app"),
        to("/refused", "refused"),
        to("/nobody", "nobody"),
        to("/shop.", "grpc"),
        silence,
        cors,
    ]);
    json!({"name": "routes", "virtual_hosts": [{"name": "all", "domains": ["*"], "routes": routes}]})
}

/// Starts a server of gRPC, which answers each method by its name, in trailers behind a message.
async fn grpc_server() -> SocketAddr {
    let listener = TcpListener::bind("127.0.0.1:0").await.expect("a free port");
    let address = listener.local_addr().expect("a bound socket");
    tokio::spawn(async move {
        while let Ok((stream, _)) = listener.accept().await {
            let serving = http2::Builder::new(TokioExecutor::new())
                .serve_connection(TokioIo::new(stream), service_fn(answer));
            tokio::spawn(serving);
        }
    });
    address
}

async fn answer(
    request: hyper::Request<Incoming>,
) -> Result<
    hyper::Response<impl hyper::body::Body<Data = Bytes, Error = Infallible> + use<>>,
    Infallible,
> {
    let method = request.uri().path().rsplit('/').next();
    let status = match method.unwrap_or_default() {
        "Ok" => 0,
        "NotFound" => 5,
        _ => 14_u16,
    };
    let trailers = HeaderMap::from_iter([(
        hyper::header::HeaderName::from_static("grpc-status"),
        HeaderValue::from(status),
    )]);
    let message = Full::new(Bytes::from_static(b"\0\0\0\0\0"));
    let body = message.with_trailers(async { Some(Ok(trailers)) });
    let response = hyper::Response::builder().header("content-type", "application/grpc");
    Ok(response.body(body).expect("an answer"))
}
