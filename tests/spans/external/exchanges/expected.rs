//! The expected spans of an exchange: a base of each kind, and differences from it.
//!
//! A text value is in quotes, a whole number is not. `<caller>` is the caller's port, `<app>` and `<app2>` are those of the
//! upstreams.

use std::collections::{BTreeMap, HashMap};

use sidespan_sink::{SpanKind, StatusCode, StoredSpan, Value};

use super::caller::{Call, Protocol};
use super::scene::Way;
use super::upstream::HOST;

/// A row of the table: one exchange, which goes through each listener.
pub(super) struct Exchange {
    pub(super) title: &'static str,
    pub(super) call: Call,
    server: Vec<Expected>,
    client: Vec<Expected>,
    // The status for the caller, where the spans do not have it.
    answer: Option<u16>,
    at_edge: &'static str,
    is_answered_here: bool,
}

/// An expected span.
#[derive(Clone)]
pub(super) struct Expected {
    kind: SpanKind,
    name: String,
    status: StatusCode,
    attributes: BTreeMap<String, String>,
}

/// Makes an exchange that the upstream answers with 200. Differences are written as `key=value`, with a space between two:
/// the value `none` removes an attribute, and some keys are short for others or for more than one.
///
/// | key | |
/// |---|---|
/// | `name` | the span's name |
/// | `error` | `error.type`, the status Error and the details `via_upstream` |
/// | `status` | `http.response.status_code`, which the caller is to see, too |
/// | `flags`, `details` | `sidespan.response_flags`, `sidespan.response_code_details` |
/// | `grpc`, `resends` | `rpc.response.status_code`, `http.request.resend_count` |
/// | `peer` | `network.peer.address` and `network.peer.port` |
/// | `at` | another path, in `url.path` or `url.full` |
pub(super) fn exchange(title: &'static str, call: Call) -> Exchange {
    Exchange {
        title,
        server: vec![Expected::new(SpanKind::Server, &call)],
        client: vec![Expected::new(SpanKind::Client, &call)],
        answer: None,
        at_edge: "",
        is_answered_here: false,
        call,
    }
}

impl Exchange {
    /// Returns the spans of this exchange on this way, each below the one before.
    pub(super) fn spans(&self, way: Way) -> Vec<Expected> {
        match way {
            Way::Inbound => self.server.clone(),
            Way::Outbound => self.client.clone(),
            Way::Edge if self.is_answered_here => self.server.clone(),
            Way::Edge => {
                let pairs = self.server.iter().zip(&self.client);
                pairs
                    .flat_map(|(server, client)| [server.clone().but(self.at_edge), client.clone()])
                    .collect()
            }
        }
    }

    /// Returns the status that the caller sees; `None` where the caller does not wait for one.
    pub(super) fn answer(&self) -> Option<u16> {
        let status = || self.server.last()?.attributes.get(STATUS)?.parse().ok();
        self.answer.or_else(status)
    }

    /// Sets a status for the caller that is not that of the spans.
    pub(super) fn answers(mut self, status: u16) -> Self {
        self.answer = Some(status);
        self
    }

    /// Sets differences of the SERVER span.
    pub(super) fn server(mut self, differs: &str) -> Self {
        self.server = self
            .server
            .into_iter()
            .map(|span| span.but(differs))
            .collect();
        self
    }

    /// Sets differences of the CLIENT span.
    pub(super) fn client(mut self, differs: &str) -> Self {
        self.client = self
            .client
            .into_iter()
            .map(|span| span.but(differs))
            .collect();
        self
    }

    /// Sets differences of the SERVER span at an edge.
    pub(super) fn edge(mut self, differs: &'static str) -> Self {
        self.at_edge = differs;
        self
    }

    /// Says that the proxy answers without calling anyone, and without failing to: at an edge there is no CLIENT span then.
    pub(super) fn answered_here(mut self) -> Self {
        self.is_answered_here = true;
        self
    }

    /// Sets differences of both spans.
    pub(super) fn both(self, differs: &str) -> Self {
        self.server(differs).client(differs)
    }

    /// Sets another name, with a space in it.
    pub(super) fn named(mut self, name: &str) -> Self {
        for span in self.server.iter_mut().chain(&mut self.client) {
            span.name = name.into();
        }
        self
    }

    /// Sets differences of the spans of a second pass through the filters.
    pub(super) fn again(mut self, differs: &str) -> Self {
        for spans in [&mut self.server, &mut self.client] {
            let again: Vec<_> = spans.iter().map(|span| span.clone().but(differs)).collect();
            spans.extend(again);
        }
        self
    }

    /// Expects no span at all, because the proxy has refused the request with this status before any filter saw it.
    pub(super) fn no_span(mut self, status: u16) -> Self {
        self.server.clear();
        self.client.clear();
        self.answers(status)
    }
}

impl Expected {
    fn new(kind: SpanKind, call: &Call) -> Self {
        let mut span = Self {
            kind,
            name: call.method.into(),
            status: StatusCode::Unset,
            attributes: BTreeMap::new(),
        }
        .but("istio.canonical_service=cart istio.canonical_revision=v1 istio.namespace=payments")
        .but("istio.cluster_id=Kubernetes istio.mesh_id=cluster.local sidespan.decision=received")
        .but("network.peer.address=127.0.0.1 server.port=80 status=200")
        .with("server.address", HOST);
        let is_client = kind == SpanKind::Client;
        let is_http2 = call.protocol == Protocol::Grpc || call.path.starts_with("/h2");
        span = span.but(match (is_client, is_http2) {
            (false, _) => "network.peer.port=<caller>",
            (true, false) => "network.peer.port=<app>",
            (true, true) => "network.peer.port=<app2>",
        });
        if call.protocol == Protocol::Grpc {
            let method = call.path.trim_start_matches('/');
            return span
                .but("rpc.system.name=grpc grpc=OK")
                .with("name", method)
                .with("rpc.method", method);
        }
        span = span
            .with("http.request.method", call.method)
            .with("at", call.path);
        let is_http1 = call.protocol == Protocol::Http1;
        span.but(match (is_client, is_http1) {
            (true, _) => "",
            (false, true) => {
                "url.scheme=http client.address=127.0.0.1 network.protocol.version=1.1"
            }
            (false, false) => "url.scheme=http client.address=127.0.0.1 network.protocol.version=2",
        })
    }

    /// Returns the span with these differences.
    fn but(self, differs: &str) -> Self {
        let pairs = differs.split(' ').filter(|pair| !pair.is_empty());
        pairs.fold(self, |span, pair| {
            let (key, value) = pair.split_once('=').expect("key=value");
            span.with(key, value)
        })
    }

    fn with(mut self, key: &str, value: &str) -> Self {
        let key = match key {
            "name" => {
                self.name = value.into();
                return self;
            }
            "error" => {
                self.status = StatusCode::Error;
                return self
                    .with("details", "via_upstream")
                    .with("error.type", value);
            }
            "peer" => {
                return self
                    .with("network.peer.address", value)
                    .with("network.peer.port", value);
            }
            "at" if self.kind == SpanKind::Client => {
                return self.with("url.full", &format!("http://{HOST}{value}"));
            }
            "at" => "url.path",
            "status" => STATUS,
            "flags" => "sidespan.response_flags",
            "details" => "sidespan.response_code_details",
            "grpc" => "rpc.response.status_code",
            "resends" => RESENDS,
            key => key,
        };
        let is_number = [STATUS, RESENDS, "server.port", "network.peer.port"].contains(&key);
        if value == "none" {
            self.attributes.remove(key);
        } else {
            let text = format!("{value:?}");
            let value = if is_number { value.to_owned() } else { text };
            self.attributes.insert(key.into(), value);
        }
        self
    }

    pub(super) fn lines(&self) -> Vec<String> {
        lines(self.kind, &self.name, self.status, &self.attributes)
    }
}

/// Returns the lines of a received span, written as the expected ones are.
pub(super) fn lines_of(span: &StoredSpan, ports: &HashMap<i64, &'static str>) -> Vec<String> {
    let mut attributes = BTreeMap::new();
    for attribute in &span.attributes {
        let place = attribute.value.as_int().and_then(|port| ports.get(&port));
        let value = match (&attribute.value, place) {
            (Value::Int(_), Some(name)) if attribute.key.ends_with(".port") => format!("<{name}>"),
            (Value::Int(number), _) => number.to_string(),
            (Value::String(text), _) => format!("{text:?}"),
            (other, _) => format!("{other:?}"),
        };
        if let Some(twice) = attributes.insert(attribute.key.clone(), value) {
            attributes.insert(format!("{} (again)", attribute.key), twice);
        }
    }
    lines(span.kind, &span.name, span.status.code, &attributes)
}

fn lines(
    kind: SpanKind,
    name: &str,
    status: StatusCode,
    attributes: &BTreeMap<String, String>,
) -> Vec<String> {
    let head = format!("{kind:?} {name:?} {status:?}");
    let attributes = attributes
        .iter()
        .map(|(key, value)| format!("  {key} = {value}"));
    [head].into_iter().chain(attributes).collect()
}

const STATUS: &str = "http.response.status_code";
const RESENDS: &str = "http.request.resend_count";
