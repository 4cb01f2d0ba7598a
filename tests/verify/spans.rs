//! Spans as lines of a file.

use serde_json::{Value, json};

/// A span of a file: where it stands, and the times of its start and end in milliseconds.
#[derive(Clone, Debug)]
pub(super) struct Span {
    service: String,
    fields: Value,
}

/// Returns a span with the ids of a trace, of itself and of its parent; 0 is no parent.
pub(super) fn span(
    service: &str,
    kind: u8,
    (trace, id, parent): (u64, u64, u64),
    (start, end): (u64, u64),
) -> Span {
    let nanos = |millis: u64| (1_700_000_000_000_000_000 + millis * 1_000_000).to_string();
    let parent = (parent > 0).then(|| format!("{parent:016x}"));
    Span {
        service: service.into(),
        fields: json!({
            "traceId": format!("{:032x}", (u128::from(trace) << 64) + 0xabc0 + u128::from(trace)),
            "spanId": format!("{id:016x}"), "parentSpanId": parent.unwrap_or_default(), "name": "GET", "kind": kind,
            "startTimeUnixNano": nanos(start), "endTimeUnixNano": nanos(end), "flags": 1, "attributes": [],
        }),
    }
}

impl Span {
    /// Sets the name.
    pub(super) fn named(mut self, name: &str) -> Self {
        self.fields["name"] = name.into();
        self
    }

    /// Adds an attribute.
    pub(super) fn with(mut self, key: &str, value: &Value) -> Self {
        let value = match value {
            Value::String(text) => json!({"stringValue": text}),
            Value::Bool(truth) => json!({"boolValue": truth}),
            number => json!({"intValue": number.to_string()}),
        };
        let attribute = json!({"key": key, "value": value});
        if let Some(all) = self.fields["attributes"].as_array_mut() {
            all.push(attribute);
        }
        self
    }

    /// Sets the status to an error.
    pub(super) fn failed(mut self) -> Self {
        self.fields["status"] = json!({"code": 2});
        self
    }

    /// Returns the line of a file.
    pub(super) fn line(&self) -> String {
        let resource = json!({"attributes": [{"key": "service.name", "value": {"stringValue": self.service}}]});
        let scopes = json!([{ "scope": {"name": "sidespan"}, "spans": [self.fields] }]);
        json!({"resourceSpans": [{"resource": resource, "scopeSpans": scopes}]}).to_string() + "\n"
    }
}

/// Returns the lines of spans.
pub(super) fn lines(spans: &[Span]) -> String {
    spans.iter().map(Span::line).collect()
}

/// Returns a checkout: front answers it by calls of cart and pay, and pay fails.
pub(super) fn checkout() -> Vec<Span> {
    let status = |span: Span, code: u16| span.with("http.response.status_code", &code.into());
    vec![
        status(
            span("front", 2, (1, 1, 0), (0, 300)).named("GET /checkout"),
            502,
        )
        .failed(),
        status(
            span("front", 3, (1, 2, 1), (10, 90)).with("server.address", &"cart".into()),
            200,
        ),
        status(span("cart", 2, (1, 3, 2), (20, 80)).named("GET /cart"), 200)
            .with("url.path", &"/cart".into()),
        status(
            span("front", 3, (1, 4, 1), (100, 290)).with("server.address", &"pay".into()),
            503,
        )
        .failed(),
        status(
            span("pay", 2, (1, 5, 4), (110, 280)).named("POST /pay"),
            503,
        )
        .failed(),
    ]
}

/// Returns two traces that were one before a gateway removed the headers between front and pay.
pub(super) fn stripped() -> Vec<Span> {
    vec![
        span("front", 2, (1, 1, 0), (0, 100)).named("GET /checkout"),
        span("front", 3, (1, 2, 1), (10, 90)).with("server.address", &"pay".into()),
        span("pay", 2, (2, 3, 0), (20, 80)).with("sidespan.decision", &"default".into()),
    ]
}
