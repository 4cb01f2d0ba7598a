//! An Envoy with a listener past the filter, and one through it for each direction; a client that sends any bytes.

use std::net::SocketAddr;

use http_body_util::Empty;
use hyper::body::Bytes;
use hyper::header::HeaderValue;
use serde_json::json;
use sidespan_core::direction::Direction;
use sidespan_envoy::{self, Bootstrap, Cluster, Envoy, Listener, Node, Route};
use sidespan_tests::http::{self, Reply, Server};
use sidespan_tests::{envoy, http2};

use crate::security::hostile::contexts::Line;
use crate::security::hostile::generate::Generated;
use crate::security::hostile::{CONFIGURATIONS, configuration};

/// The protocol of a request to Envoy.
#[derive(Clone, Copy, Debug)]
pub(super) enum Protocol {
    Http1,
    Http2,
}

/// The end of a request.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Answer {
    /// An answer of the upstream, or of Envoy itself.
    Status(u16),
    /// An answer of Envoy's codec and a closed connection, of which the client may see the latter alone.
    Refused,
}

pub(super) struct Scene {
    pub(super) envoy: Envoy,
    upstream: Server,
    _collector: Server,
    first: [Option<http::Connection>; LISTENERS.len()],
    second: [Option<http2::Connection>; LISTENERS.len()],
}

/// Past the filter, and through it as each direction.
const LISTENERS: [&str; 4] = ["bare", "inbound", "outbound", "edge"];

impl Scene {
    pub(super) fn start() -> Self {
        let upstream = Server::start(|request| {
            let status = request.headers.one(STATUS).and_then(|it| it.parse().ok());
            Reply::status(status.unwrap_or(200))
        });
        let collector = Server::ok();
        let mut bootstrap = Bootstrap::new(Node::sidecar("payments", "cart-7d9c5b8f6-x2x4z"))
            .cluster(Cluster::new("app", upstream.address()))
            .cluster(Cluster::new("collector", collector.address()));
        for (at, name) in LISTENERS.into_iter().enumerate() {
            let listener = Listener::new(name)
                .max_request_headers_kb(96)
                .max_headers_count(250)
                // A connection with a refused request stays open for a second otherwise, with a caller by HTTP/2 that waits for its end.
                .with("delayed_close_timeout", json!("0.01s"))
                .route(Route::to("app"));
            let listener = match name {
                "inbound" => listener.direction(sidespan_envoy::Direction::Inbound),
                "outbound" => listener.direction(sidespan_envoy::Direction::Outbound),
                _ => listener,
            };
            bootstrap = bootstrap.listener(match at.checked_sub(1) {
                None => listener,
                Some(index) => {
                    let text = configuration(CONFIGURATIONS[index], index);
                    listener.filter(envoy::filter_with(&text).filter())
                }
            });
        }
        Self {
            envoy: envoy::start(&bootstrap),
            upstream,
            _collector: collector,
            first: Default::default(),
            second: Default::default(),
        }
    }

    /// Sends a request past the filter and through it; returns each answer, and the lines that reached the upstream.
    pub(super) fn exchange(
        &mut self,
        protocol: Protocol,
        generated: &Generated,
    ) -> [(Answer, Option<Vec<Line>>); 2] {
        let through = match generated.direction {
            Direction::Inbound => 1,
            Direction::Outbound => 2,
            Direction::Edge => 3,
        };
        [0, through].map(|at| {
            let address = self.envoy.address(LISTENERS[at]).expect("a listener");
            let before = self.upstream.count();
            let answer = match protocol {
                Protocol::Http1 => over_http1(&mut self.first[at], address, generated),
                Protocol::Http2 => over_http2(&mut self.second[at], address, generated),
            };
            let lines = (self.upstream.count() > before).then(|| {
                let received = self.upstream.last();
                let lines = received.headers.lines().iter();
                let lines = lines.map(|(name, value)| (name.clone().into_bytes(), value.clone()));
                lines.collect()
            });
            (answer, lines)
        })
    }
}

fn over_http1(
    connection: &mut Option<http::Connection>,
    address: SocketAddr,
    generated: &Generated,
) -> Answer {
    let pseudo = |name| pseudo(generated, name);
    let mut head = [
        pseudo(":method"),
        b" ",
        pseudo(":path"),
        b" HTTP/1.1\r\nhost: ",
    ]
    .concat();
    head.extend_from_slice(pseudo(":authority"));
    head.extend_from_slice(format!("\r\n{STATUS}: {}", generated.status).as_bytes());
    for (name, value) in lines(generated) {
        head.extend_from_slice(b"\r\n");
        head.extend_from_slice(&[name.as_bytes(), b": ", value].concat());
    }
    head.extend_from_slice(b"\r\n\r\n");
    let mut open = connection
        .take()
        .unwrap_or_else(|| http::Connection::open(address).expect("a listener"));
    match open.exchange_bytes(&head) {
        Ok(response) if !REFUSALS.contains(&response.status) => {
            let is_last = response.headers.has("connection");
            *connection = (!is_last).then_some(open);
            Answer::Status(response.status)
        }
        _ => Answer::Refused,
    }
}

fn over_http2(
    connection: &mut Option<http2::Connection>,
    address: SocketAddr,
    generated: &Generated,
) -> Answer {
    let path = String::from_utf8_lossy(pseudo(generated, ":path")).into_owned();
    let to = |path: &str| {
        let request = hyper::Request::builder()
            .method(pseudo(generated, ":method"))
            .uri(format!("http://shop.example:8080{path}"));
        let mut request = request.body(Empty::<Bytes>::new()).ok()?;
        let headers = request.headers_mut();
        headers.append(STATUS, HeaderValue::from(generated.status));
        for (name, value) in lines(generated) {
            headers.append(*name, HeaderValue::from_bytes(value).expect("a value"));
        }
        Some(request)
    };
    // The client takes not every path.
    let request = to(&path).or_else(|| to("/orders/7")).expect("a request");
    let mut open = connection
        .take()
        .unwrap_or_else(|| http2::Connection::open(address));
    match open.exchange(request) {
        Some(status) if !REFUSALS.contains(&status) => {
            *connection = Some(open);
            Answer::Status(status)
        }
        _ => Answer::Refused,
    }
}

fn pseudo<'g>(generated: &'g Generated, name: &str) -> &'g [u8] {
    let line = generated.headers.iter().find(|(other, _)| *other == name);
    line.map(|(_, value)| value.as_slice()).expect("it has one")
}

fn lines(generated: &Generated) -> impl Iterator<Item = &(&'static str, Vec<u8>)> {
    let lines = generated.headers.iter();
    lines.filter(|(name, _)| !name.starts_with(':'))
}

/// The header that tells the upstream how to answer.
const STATUS: &str = "x-status";
/// The answers of Envoy's codecs, which the upstream does not give.
const REFUSALS: [u16; 2] = [400, 431];
