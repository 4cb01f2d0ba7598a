//! The spans that the page is shown: traces made by hand, in OTLP's JSON, with the figures that must be seen of them.

use http_body_util::{BodyExt, Full};
use hyper::Request;
use hyper::body::Bytes;
use hyper::client::conn::http1;
use hyper_util::rt::TokioIo;
use serde_json::{Value, json};
use sidespan_sink::Sink;
use tokio::net::TcpStream;

/// The moment at which the traces of the tests begin, in nanoseconds since 1970: 2026-11-30T12:00:00Z.
pub(super) const NOON: u64 = 1_796_040_000_000_000_000;

/// The kinds of spans by OTLP's number.
pub(super) const INTERNAL: u32 = 1;
pub(super) const SERVER: u32 = 2;
pub(super) const CLIENT: u32 = 3;

/// One span of a trace that is made by hand.
#[derive(Clone, Debug)]
pub(super) struct Made {
    service: String,
    fields: Value,
}

impl Made {
    /// Makes a span: ids are numbers, times microseconds since [`NOON`].
    pub(super) fn new(
        (trace, id, parent): (u64, u64, u64),
        (service, name, kind): (&str, &str, u32),
        (start, end): (u64, u64),
    ) -> Self {
        let parent = match parent {
            0 => String::new(),
            parent => format!("{parent:016x}"),
        };
        Self {
            service: service.into(),
            fields: json!({
                "traceId": trace_id(trace), "spanId": format!("{id:016x}"), "parentSpanId": parent,
                "name": name, "kind": kind, "flags": 257,
                "startTimeUnixNano": (NOON + start * 1_000).to_string(),
                "endTimeUnixNano": (NOON + end * 1_000).to_string(),
                "attributes": [], "status": {},
            }),
        }
    }

    /// Sets an error with its description.
    pub(super) fn fails(mut self, message: &str) -> Self {
        self.fields["status"] = json!({"code": 2, "message": message});
        self
    }

    /// Adds an attribute.
    pub(super) fn with(mut self, key: &str, value: &str) -> Self {
        let attributes = self.fields["attributes"].as_array_mut().expect("a list");
        attributes.push(json!({"key": key, "value": {"stringValue": value}}));
        self
    }

    /// Sets any other field.
    pub(super) fn set(mut self, field: &str, value: Value) -> Self {
        self.fields[field] = value;
        self
    }
}

/// Returns the trace id of a number.
pub(super) fn trace_id(number: u64) -> String {
    format!("{:032x}", (u128::from(number) << 64) + 0xabc)
}

/// Sends spans to a sink over HTTP, some thousands a request.
pub(super) async fn send(sink: &Sink, spans: &[Made]) {
    for part in spans.chunks(4_000) {
        let mut groups: Vec<(&str, Vec<&Value>)> = Vec::new();
        for span in part {
            match groups
                .iter_mut()
                .find(|(service, _)| *service == span.service)
            {
                Some((_, all)) => all.push(&span.fields),
                None => groups.push((&span.service, vec![&span.fields])),
            }
        }
        let resource_spans: Vec<Value> = groups
            .into_iter()
            .map(|(service, spans)| {
                json!({
                    "resource": {"attributes": [
                        {"key": "service.name", "value": {"stringValue": service}},
                        {"key": "k8s.namespace.name", "value": {"stringValue": "shop"}},
                    ]},
                    "scopeSpans": [{"scope": {"name": "sidespan", "version": "0.1.0"}, "spans": spans}],
                })
            })
            .collect();
        post(sink, json!({ "resourceSpans": resource_spans }).to_string()).await;
    }
}

async fn post(sink: &Sink, body: String) {
    let stream = TcpStream::connect(sink.http_addr()).await.expect("a sink");
    let (mut sender, connection) = http1::handshake(TokioIo::new(stream)).await.expect("HTTP");
    tokio::spawn(connection);
    let request = Request::post("/v1/traces")
        .header("host", "localhost")
        .header("content-type", "application/json")
        .body(Full::new(Bytes::from(body)))
        .expect("a request");
    let answer = sender.send_request(request).await.expect("an answer");
    let status = answer.status();
    let body = answer
        .into_body()
        .collect()
        .await
        .expect("a body")
        .to_bytes();
    assert_eq!(status, 200, "{}", String::from_utf8_lossy(&body));
    assert!(
        !body.windows(8).any(|it| it == b"rejected"),
        "{}",
        String::from_utf8_lossy(&body)
    );
}

/// A checkout that fails in `pay`, 412 ms long: the trace number 1 of most tests.
pub(super) fn checkout(trace: u64, at: u64) -> Vec<Made> {
    let span = |id, parent, service, name, kind, start: u64, end: u64| {
        Made::new(
            (trace, id, parent),
            (service, name, kind),
            (at + start, at + end),
        )
    };
    let code = |span: Made, code: &str| span.with("http.response.status_code", code);
    vec![
        code(span(1, 0, "gateway", "GET /checkout", SERVER, 0, 412_000), "503").fails(""),
        span(2, 1, "gateway", "GET", CLIENT, 2_000, 402_000).fails("upstream"),
        code(span(3, 2, "front", "GET /checkout", SERVER, 3_000, 400_500), "503").fails(""),
        span(4, 3, "front", "GET", CLIENT, 10_000, 70_000),
        span(5, 4, "cart", "GET /api/cart", SERVER, 11_000, 69_000).with("http.route", "/api/cart"),
        span(6, 5, "cart", "SELECT cart_items", CLIENT, 15_000, 27_000)
            .with("db.system.name", "postgresql")
            .with("db.query.text", "SELECT * FROM cart_items WHERE user_id = $1"),
        span(7, 3, "front", "POST", CLIENT, 80_000, 383_000).fails("upstream"),
        code(span(8, 7, "pay", "POST /pay", SERVER, 81_000, 382_000), "503")
            .with("http.route", "/pay")
            .with("error.type", "503")
            .with("sidespan.decision", "default")
            .with("sidespan.kept", "error")
            .set(
                "events",
                json!([
                    {"name": "exception", "timeUnixNano": (NOON + (at + 200_000) * 1_000).to_string(),
                     "attributes": [{"key": "exception.message", "value": {"stringValue": "card refused"}}]},
                ]),
            )
            .set(
                "links",
                json!([{"traceId": trace_id(trace), "spanId": format!("{:016x}", 6)}]),
            )
            .fails("card refused"),
        span(9, 8, "pay", "charge card", INTERNAL, 90_000, 210_000),
        span(10, 8, "pay", "POST", CLIENT, 220_000, 280_000),
        span(11, 10, "ledger", "POST /entries", SERVER, 221_000, 279_000),
    ]
}

/// Returns the duration as the page says it: two or three digits and a unit.
pub(super) fn said(nanos: u64) -> String {
    // Microseconds are exact in every figure of these tests.
    let micros = nanos / 1_000;
    match micros {
        0 => format!("{nanos} ns"),
        1..=999 => format!("{micros} µs"),
        1_000..=9_949 => {
            let tenths = (micros + 50) / 100;
            format!("{}.{} ms", tenths / 10, tenths % 10)
        }
        9_950..=999_499 => format!("{} ms", (micros + 500) / 1_000),
        _ => {
            let tenths = (micros + 50_000) / 100_000;
            format!("{}.{} s", tenths / 10, tenths % 10)
        }
    }
}
