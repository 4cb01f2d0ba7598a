//! Values of all types and forms, right and wrong, at their limits and beyond.

use serde_json::{Value, json};

/// Returns values of each type, among them numbers and texts at and beyond limits.
pub(super) fn replacements() -> Vec<Value> {
    let numbers = "-1 -0.0 0 0.5 1 1.0 1e0 9 10 63.999 99 100 100.0 100.1 101 512 512.5 1023 1024 8192 8193 65535 65536 131072 \
        131073 8388608 8388609 134217728 134217729 1e-15 1.3877787807814456e-15 1.3877787807814457e-15 1e-300 \
        9007199254740993 1e30"
        .split(' ')
        .map(|text| serde_json::from_str(text).expect("a number"));
    let others = [
        json!(null),
        json!(true),
        json!(false),
        json!([]),
        json!({}),
        json!([null]),
        json!([1, 1.0]),
        json!(["GET"]),
        json!(["GET", "GET"]),
        json!(["get"]),
        json!([{}]),
        json!({"x": 1}),
        json!({"environment": "A"}),
        json!({"environment": ""}),
        json!({"path": "/x"}),
        json!(["b3", "b3multi"]),
        json!(["b3", "b3"]),
        json!(["b3", 1, 1]),
        json!(["jaeger"]),
        json!(["w3c"]),
    ];
    let texts = strings().into_iter().map(Value::String);
    // The longest name of a host, and one that is longer, alone and in an authority.
    let names = [253, 254].map(|length| "a".repeat(length));
    let hosts = names.iter().flat_map(|name| {
        let bracketed = format!("[:{}]", &name[3..]);
        [
            name.clone(),
            format!("{name}:1"),
            format!("{bracketed}:01"),
            bracketed,
        ]
    });
    let hosts = hosts.map(Value::String);
    numbers.chain(others).chain(texts).chain(hosts).collect()
}

/// Returns texts of all forms.
pub(super) fn strings() -> Vec<String> {
    let lists = STRINGS.lines().filter(|line| !line.is_empty());
    lists
        .flat_map(|line| serde_json::from_str::<Vec<String>>(line).expect("a list"))
        .collect()
}

/// Texts of all forms, right and wrong, each line a list in JSON.
const STRINGS: &str = r##"
["", " ", "x", "true", "accept", "ignore", "restart", "auto", "edge", "inbound", "outbound", "old", "request", "attempt", "stable", "both"]
["grpc", "http/protobuf", "none", "gzip", "tracecontext", "Accept", "accept "]
["0ms", "1ms", "9ms", "10ms", "0009ms", "0010ms", "60000ms", "60001ms", "3600000ms", "3600001ms", "0s", "1s", "60s"]
["61s", "3600s", "3601s", "0m", "1m", "2m", "60m", "61m", "1h", "01h", "2h", "5", "5S", "5 s", " 5s", "5s ", "5s\n"]
["-1s", "+1s", "1.5s", "s", "1d", "99999999999999999999s", "00000000000000000000000001s", "18446744073709551617ms"]
["\u0663s", "0B", "1B", "1023B", "1024B", "1KiB", "0KiB", "8MiB", "8MB", "8 MiB", "8mib", "9MiB", "128MiB", "129MiB"]
["131072KiB", "131073KiB", "134217728B", "134217729B", "8192KiB", "8193KiB", "1GiB"]
["a.b", "a..b", ".a", "a.", "a_b-c.D9", "a b", "http://c", "c:4317", "outbound|4317||c.d", "\u00e9", "a\u00a0b"]
["[::1]:443", "[::1]", "[::1", "[", "[]", "[:]", "[:", "a:0", "a:1", "a:65535", "a:65536", "a:0443", "a:", "a:+1", ":1", "::1"]
["[a:]b", "[a]:]", "x:]", "otlp.example.com:443", "[::1]:0", "[::1]:00443", "a:b:1", "a_b:1", "[a:]b]", "[a]b", "a[b]", "[é]"]
["a\u0085b", "a\u3000", "a\ufeffb", "a\u200bb", "/", "/a", "/a b", "/a?x=1", "/a#b", "/\u00e9", "/\u007f", "/a*", "*"]
["*a", "**", "a/b", "/{id}", "/{id}/x", "/x{id}", "/{id", "/id}", "/{}", "/{a}{b}", "/{a{b}}", "{id}", "*{id}"]
["*/{id}", "//", "/a//{b}/", "/\n", "/{\n}"]
["GET", "get", "Get", "M-SEARCH", "G ET", "X-A", "x-a", "x a", "x:a", ":path", "authorization", "Authorization"]
["cookie", "set-cookie", "x-api-key", "proxy-authorization", "content-type", "te", "b3", "host", "grpc-timeout"]
["sidespan.x", "sidespan", "telemetry.sdk.name", "telemetry.sdk", "service.name", "sampling.priority", "client.port"]
["http.method", "url.path", "http.flavor", "istio.namespace", "a\tb", "a\u0000b", "a\u001f", "a\u007f", "\u009f", "\n"]
["a\nb", "a\u2028b"]
["request.path", "request.query", "request.url_path", "request.path.x", "request.headers", "request.headers."]
["request.headers.x-a", "request.headers.:path", "request.headers.:path.x", "request.headers.cookie"]
["request.headers.Cookie", "request.headers.COOKIE.x", "request.headers.cookies", "response.trailers"]
["response.trailers.set-cookie", "response.headers.x", "xds.cluster_name", "a.b.", "request.trailers.authorization"]
["response.path", "a.\u2028"]
"##;
