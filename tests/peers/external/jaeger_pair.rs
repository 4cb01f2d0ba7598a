//! A real Jaeger and a sink with the same spans, asked the same questions; and their answers without what means nothing: the
//! order of spans, the numbers of processes.

use opentelemetry_proto::tonic::collector::trace::v1::ExportTraceServiceRequest;
use serde_json::{Value, json};
use sidespan_envoy::wait_for;
use sidespan_tests::collector::Collector;
use sidespan_tests::envoy::LIMIT;
use sidespan_tests::http::{Request, Response, send};
use sidespan_tests::otlp;
use sidespan_tests::peers::Jaeger;

use super::jaeger_worlds::ids;

/// The two, with the same spans.
pub(super) struct Pair {
    pub(super) jaeger: Jaeger,
    pub(super) sink: Collector,
}

impl Pair {
    /// Starts both and sends the same to both, in order.
    pub(super) fn start(requests: &[ExportTraceServiceRequest]) -> Self {
        let pair = Self {
            jaeger: Jaeger::start(),
            sink: Collector::start(),
        };
        for (request, id) in requests.iter().zip(ids(requests)) {
            otlp::export(pair.sink.sink().grpc_addr(), request.clone());
            otlp::export(pair.jaeger.grpc_addr(), request.clone());
            // The next must not overtake it.
            wait_until_found(&pair.jaeger, &id);
        }
        pair
    }

    /// Returns the answers of Jaeger and of the sink, as they are written.
    pub(super) fn texts(&self, path: &str) -> [(u16, String); 2] {
        [self.jaeger.query_addr(), self.sink.sink().http_addr()].map(|address| {
            let Response { status, body, .. } = send(address, &Request::get(path));
            (status, String::from_utf8(body).expect("text"))
        })
    }

    /// Returns the answers of Jaeger and of the sink.
    pub(super) fn ask(&self, path: &str) -> [(u16, Value); 2] {
        let read = |text: String| serde_json::from_str(&text).unwrap_or(Value::String(text));
        self.texts(path).map(|(status, text)| (status, read(text)))
    }
}

/// Waits until a Jaeger has a trace.
pub(super) fn wait_until_found(jaeger: &Jaeger, id: &str) {
    let path = format!("/api/traces/{id}?raw=true");
    // A trace that it cannot show is there as well.
    let found = wait_for(LIMIT, || (jaeger.get(&path).0 != 404).then_some(()));
    assert!(found.is_some(), "{}", jaeger.log());
}

/// Returns the answer of a sink.
pub(super) fn ask(sink: &Collector, path: &str) -> (u16, Value) {
    let Response { status, body, .. } = send(sink.sink().http_addr(), &Request::get(path));
    let value = serde_json::from_slice(&body);
    let value =
        value.unwrap_or_else(|error| panic!("{path}: {error}: {}", String::from_utf8_lossy(&body)));
    (status, value)
}

/// Returns an answer without what means nothing.
pub(super) fn plain(path: &str, mut answer: Value) -> Value {
    if path.starts_with("/api/v3/") && answer.is_object() {
        return plain_v3(answer);
    }
    let Some(data) = answer.get_mut("data").and_then(Value::as_array_mut) else {
        return answer;
    };
    if !path.starts_with("/api/traces") {
        sort(data);
        return answer;
    }
    for trace in data {
        let processes = trace["processes"].take();
        let spans = trace["spans"].as_array_mut().expect("spans");
        let ids: Vec<Value> = spans.iter().map(|it| it["spanID"].clone()).collect();
        for span in spans.iter_mut() {
            // Jaeger warns of one of several with an id, whichever comes first by chance.
            if ids.iter().filter(|id| **id == span["spanID"]).count() > 1 {
                span["warnings"] = Value::Null;
            }
            let id = span["processID"].take();
            span["process"] = processes[id.as_str().expect("an id")].clone();
            if let Some(warnings) = span["warnings"].as_array_mut() {
                sort(warnings);
            }
        }
        sort(spans);
    }
    answer
}

/// Returns the spans of an answer, each beside its resource and scope.
fn plain_v3(mut answer: Value) -> Value {
    let mut spans = Vec::new();
    let Some(list) = answer["result"]["resourceSpans"].as_array_mut() else {
        for key in ["services", "operations"] {
            if let Some(list) = answer[key].as_array_mut() {
                sort(list);
            }
        }
        // Asking for the result has put it there.
        if answer["result"].is_null()
            && let Some(fields) = answer.as_object_mut()
        {
            fields.remove("result");
        }
        return answer;
    };
    for resource_spans in list {
        let scopes = resource_spans["scopeSpans"].take();
        for scope_spans in scopes.as_array().into_iter().flatten() {
            for span in scope_spans["spans"].as_array().into_iter().flatten() {
                let around = [&resource_spans["resource"], &scope_spans["scope"]];
                spans.push(json!({"span": span, "resource": around[0], "scope": around[1]}));
            }
        }
    }
    sort(&mut spans);
    Value::from(spans)
}

fn sort(list: &mut [Value]) {
    // Text has no order of numbers, but the same for the same.
    list.sort_by_key(Value::to_string);
}

/// Returns the places where two values differ, with both.
pub(super) fn differences(place: &str, left: &Value, right: &Value) -> Vec<String> {
    match (left, right) {
        (Value::Object(left), Value::Object(right)) => {
            let mut keys: Vec<&String> = left.keys().chain(right.keys()).collect();
            keys.sort();
            keys.dedup();
            let of = |map: &serde_json::Map<String, Value>, key: &str| {
                map.get(key).cloned().unwrap_or_else(|| "(absent)".into())
            };
            let parts = keys.into_iter().flat_map(|key| {
                let place = format!("{place}.{key}");
                differences(&place, &of(left, key), &of(right, key))
            });
            parts.collect()
        }
        (Value::Array(left), Value::Array(right)) if left.len() == right.len() => {
            let pairs = left.iter().zip(right).enumerate();
            let parts = pairs.flat_map(|(at, (left, right))| {
                differences(&format!("{place}[{at}]"), left, right)
            });
            parts.collect()
        }
        (Value::Number(left), Value::Number(right)) if left.as_f64() == right.as_f64() => {
            Vec::new()
        }
        _ if left == right => Vec::new(),
        _ => vec![format!("{place}: {left} and {right}")],
    }
}
