//! Mutations of a configuration with every key: each key removed, misspelt, of each wrong type, beyond each limit.

use serde_json::{Value, json};
use sidespan_core::config::sections::attributes::{OTHERS, names};
use sidespan_core::config::sections::export::TAKEN;

use super::values::{replacements, strings};

/// Returns valid configurations that together have every key.
pub(super) fn wholes(whole: &Value) -> Vec<Value> {
    let mut filled = whole.clone();
    let mut matching = whole["sampling"]["exclude"][2].clone();
    matching["userAgent"] = json!("curl/*");
    for (pointer, value) in [
        (
            "/propagation/baggage",
            json!({"deny": ["internal.*"], "from": ["jaeger", "ottrace"], "maxBytes": "8KiB"}),
        ),
        (
            "/sampling/rules",
            json!([{"match": matching, "percentage": 5}]),
        ),
        ("/sampling/rateLimit", json!({"tracesPerSecond": 10})),
        (
            "/sampling/remote",
            json!({"service": "jaeger.observability", "port": 5778, "path": "/sampling", "interval": "60s"}),
        ),
        ("/gateway/keep/slowerThan", json!("2s")),
        ("/gateway/exclude", json!([matching])),
        ("/gateway/trust", whole["trust"].clone()),
        ("/spans/routes", json!(["/api/orders/{id}"])),
        (
            "/spans/resource",
            json!({"deployment.environment.name": "prod"}),
        ),
        ("/spans/omit", json!(["client.address", "http.target"])),
        ("/spans/redactQuery", json!(["token"])),
        (
            "/spans/attributes",
            json!([
                {"name": "a", "requestHeader": "x-a"},
                {"name": "b", "responseHeader": "x-b", "default": "none"},
                {"name": "c", "literal": ""},
                {"name": "d", "environment": "D"},
                {"name": "e", "property": "xds.cluster_name"},
                {"name": "f", "baggage": "tier"},
            ]),
        ),
        ("/export/otlp/authority", json!("otlp.example.com:443")),
        (
            "/export/otlp/headers",
            json!({"x-tenant": "shop", "x-api-key": {"environment": "KEY"}}),
        ),
    ] {
        put(&mut filled, pointer, Some(&value));
    }
    let grpc = json!({"export": {"otlp": {"cluster": "outbound|4317||c.d", "protocol": "grpc"}}});
    let cluster = json!({"sampling": {"remote": {"cluster": "jaeger"}}});
    let attempt = json!({
        "role": "attempt",
        "propagation": {},
        "spans": {"accessLog": false},
        "export": {"otlp": {"service": "c"}},
    });
    vec![filled, grpc, cluster, attempt]
}

/// Returns all mutations.
pub(super) fn all(whole: &Value) -> Vec<String> {
    let mut texts = Vec::new();
    for base in wholes(whole) {
        for pointer in pointers(&base) {
            texts.push(with(&base, &pointer, None));
            texts.push(misspelt(&base, &pointer));
            for value in replacements() {
                texts.push(with(&base, &pointer, Some(&value)));
            }
        }
    }
    let filled = wholes(whole).remove(0);
    for (pointer, entry) in LISTS {
        // One more than the limit, the limit, and a repeated entry.
        for count in [0, 1, 2, 9, 10, 31, 32, 33, 63, 64, 65, 255, 256, 257] {
            let list: Vec<_> = (0..count).map(|number| filled_in(entry, number)).collect();
            texts.push(with(&filled, pointer, Some(&list.into())));
        }
        let twice = json!([filled_in(entry, 1), filled_in(entry, 1)]);
        texts.push(with(&filled, pointer, Some(&twice)));
    }
    for (pointer, value) in MAPS {
        for count in [0, 1, 63, 64, 65, 255, 256, 257] {
            let value: Value = serde_json::from_str(value).expect("a value");
            let map = (0..count).map(|number| (format!("x{number}"), value.clone()));
            texts.push(with(&filled, pointer, Some(&Value::Object(map.collect()))));
        }
        for name in strings().into_iter().chain(TAKEN.map(str::to_owned)) {
            let value: Value = serde_json::from_str(value).expect("a value");
            texts.push(with(&filled, pointer, Some(&json!({name: value}))));
        }
    }
    for name in names().into_iter().chain(OTHERS) {
        for pointer in ["/spans/omit/0", "/spans/attributes/0/name"] {
            texts.push(with(&filled, pointer, Some(&name.into())));
        }
    }
    for (key, value) in [
        ("sampling", json!({})),
        ("trust", json!({})),
        ("correlation", json!({})),
        ("gateway", json!({})),
        ("direction", json!("auto")),
    ] {
        let attempt = json!({"role": "attempt", key: value});
        texts.push(attempt.to_string());
    }
    for beside in [
        json!({"cluster": "c"}),
        json!({"service": "c"}),
        json!({"service": "c", "cluster": "c"}),
        json!({"cluster": "c", "port": 1}),
        json!({"cluster": "c", "x": 1}),
        json!({}),
    ] {
        texts.push(json!({"sampling": {"remote": beside}}).to_string());
        texts.push(json!({"export": {"otlp": beside}}).to_string());
    }
    for text in [
        r#"{"role": "attempt", "spans": {"accessLog": true}}"#,
        r#"{"role": "attempt", "propagation": {"baggage": {}}}"#,
        r#"{"role": "attempt", "propagation": {"restoreTracestate": true}}"#,
        r#"{"role": "attempt", "propagation": {"restoreTracestate": false, "inject": ["b3"]}}"#,
        r#"{"spans": {"serviceName": "a", "resource": {"service.name": "b"}}}"#,
        r#"{"spans": {"serviceName": "", "resource": {"service.name": "b"}}}"#,
        r#"{"spans": {"resource": {"service.name": "b"}}}"#,
        r#"{"export": {"otlp": {"cluster": "c", "port": 1}}}"#,
        r#"{"export": {"otlp": {"cluster": "c", "service": "s"}}}"#,
        r#"{"export": {"otlp": {"service": "s", "path": "/x"}}}"#,
        r#"{"export": {"otlp": {}}}"#,
        r#"{"export": {"queue": {"maxSpans": 511}}}"#,
        r#"{"export": {"queue": {"maxSpans": 512}, "batch": {"maxDelay": "1s"}}}"#,
        r#"{"export": {"queue": {"maxSpans": 511}, "batch": {"maxDelay": "1s"}}}"#,
        r#"{"export": {"queue": {"maxSpans": 100}, "batch": {"maxSpans": 100}}}"#,
        r#"{"export": {"retry": {"initial": "31s"}}}"#,
        r#"{"export": {"retry": {"initial": "30s"}}}"#,
        r#"{"export": {"retry": {"max": "999ms"}}}"#,
        r#"{"export": {"retry": {"max": "1000ms"}}}"#,
        r#"{"sampling": {"exclude": [{"path": "/a", "method": "GET"}, {"method": "GET", "path": "/a"}]}}"#,
        r#"{"sampling": {"rules": [{"percentage": 1}]}}"#,
        r#"{"sampling": {"rules": [{"match": {"path": "/a"}, "percentage": 1, "x": 1}]}}"#,
        r#"{"export": {"otlp": {"service": "s", "headers": {"a": {"environment": "A", "x": 1}}}}}"#,
        "{}",
        "[]",
        "null",
        "1",
    ] {
        texts.push(text.into());
    }
    texts
}

/// Returns the pointers of all values below the root.
pub(super) fn pointers(value: &Value) -> Vec<String> {
    fn visit(value: &Value, at: &str, pointers: &mut Vec<String>) {
        let below: Vec<(String, &Value)> = match value {
            Value::Object(keys) => keys
                .iter()
                .map(|(key, value)| (key.replace('~', "~0").replace('/', "~1"), value))
                .collect(),
            Value::Array(list) => (0..)
                .map(|index: usize| index.to_string())
                .zip(list)
                .collect(),
            _ => return,
        };
        for (key, value) in below {
            let pointer = format!("{at}/{key}");
            visit(value, &pointer, pointers);
            pointers.push(pointer);
        }
    }
    let mut pointers = Vec::new();
    visit(value, "", &mut pointers);
    pointers
}

/// Returns the section around a pointer, and the role, with another value there, or without it.
pub(super) fn with(whole: &Value, pointer: &str, value: Option<&Value>) -> String {
    let section = pointer.split('/').nth(1).unwrap_or_default();
    let mut part = json!({section: whole[section]});
    if let Some(role) = whole.get("role") {
        part["role"] = role.clone();
    }
    put(&mut part, pointer, value);
    part.to_string()
}

fn misspelt(whole: &Value, pointer: &str) -> String {
    let value = whole.pointer(pointer).cloned();
    let without: Value = serde_json::from_str(&with(whole, pointer, None)).expect("JSON");
    let mut part = without;
    put(&mut part, &format!("{pointer}s"), value.as_ref());
    part.to_string()
}

fn put(value: &mut Value, pointer: &str, new: Option<&Value>) {
    let (parent, key) = pointer.rsplit_once('/').expect("a pointer");
    let key = key.replace("~1", "/").replace("~0", "~");
    match (value.pointer_mut(parent), new) {
        (Some(Value::Object(keys)), Some(new)) => drop(keys.insert(key, new.clone())),
        (Some(Value::Object(keys)), None) => drop(keys.remove(&key)),
        (Some(Value::Array(list)), new) => {
            let index = key
                .parse::<usize>()
                .ok()
                .filter(|index| *index < list.len());
            match (index, new) {
                (Some(index), Some(new)) => list[index] = new.clone(),
                (Some(index), None) => drop(list.remove(index)),
                (None, _) => {}
            }
        }
        _ => {}
    }
}

/// Returns an entry of a list, `#` in its texts replaced by a number.
fn filled_in(entry: &str, number: usize) -> Value {
    serde_json::from_str(&entry.replace('#', &number.to_string())).expect("an entry")
}

/// Lists, and an entry of each.
const LISTS: &[(&str, &str)] = &[
    ("/propagation/baggage/deny", r##""key#""##),
    (
        "/sampling/rules",
        r##"{"match": {"path": "/#"}, "percentage": 1}"##,
    ),
    ("/sampling/exclude", r##"{"path": "/#"}"##),
    ("/sampling/exclude/2/method", r##""M#""##),
    ("/sampling/rules/0/match/method", r##""M#""##),
    ("/gateway/exclude/0/method", r##""M#""##),
    ("/gateway/exclude", r##"{"userAgent": "#"}"##),
    ("/spans/routes", r##""/r#""##),
    ("/spans/redactQuery", r##""key#""##),
    ("/spans/attributes", r##"{"name": "a#", "literal": "x"}"##),
];

/// Objects whose keys the user names, and a value of each.
const MAPS: &[(&str, &str)] = &[
    ("/sampling/namespaces", "1"),
    ("/sampling/exclude/2/headers", "\"*\""),
    ("/sampling/exclude/2/labels", "\"*\""),
    ("/sampling/rules/0/match/headers", "\"*\""),
    ("/sampling/rules/0/match/labels", "\"*\""),
    ("/gateway/exclude/0/headers", "\"*\""),
    ("/gateway/exclude/0/labels", "\"*\""),
    ("/spans/resource", "\"x\""),
    ("/export/otlp/headers", "\"x\""),
];
