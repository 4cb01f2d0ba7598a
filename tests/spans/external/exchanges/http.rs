//! The exchanges of HTTP that the upstream answers.

use super::caller::{Call, get, http1, http2};
use super::expected::{Exchange, exchange};
use super::upstream::Step;

pub(super) fn answered() -> Vec<Exchange> {
    vec![
        exchange("GET", get("/app/status/200")),
        exchange("HEAD", http1("HEAD", "/app/status/200")),
        exchange("PUT", without_body("PUT", "/app/status/200")),
        exchange("DELETE", http1("DELETE", "/app/status/200")),
        exchange("PATCH", without_body("PATCH", "/app/status/200")),
        exchange("OPTIONS", http1("OPTIONS", "/app/status/200")),
        exchange("POST", without_body("POST", "/app/status/201")).both("status=201"),
        exchange(
            "QUERY by HTTP/2",
            http2("QUERY", "/app/status/200").header("content-type", "text/plain"),
        ),
        exchange("BREW by HTTP/2", http2("BREW", "/app/status/200"))
            .both("name=HTTP http.request.method=_OTHER http.request.method_original=BREW"),
        exchange("204", get("/app/status/204")).both("status=204"),
        exchange("301", get("/app/status/301")).both("status=301"),
        exchange("302", get("/app/status/302")).both("status=302"),
        exchange("304", get("/app/status/304")).both("status=304"),
        exchange("404", get("/app/status/404"))
            .both("status=404")
            .client("error=404"),
        exchange("409", get("/app/status/409"))
            .both("status=409")
            .client("error=409"),
        exchange("429", get("/app/status/429"))
            .both("status=429")
            .client("error=429"),
        exchange("500", get("/app/status/500")).both("status=500 error=500"),
        exchange("503", get("/app/status/503")).both("status=503 error=503"),
        exchange("a status of no class", get("/app/status/799")).both("status=799 error=799"),
        exchange("a template of a route", get("/api/orders/4711?color=blue"))
            .named("GET /api/orders/{id}")
            .server("http.route=/api/orders/{id}")
            .server("url.path=/api/orders/4711 url.query=color=blue")
            .client("url.template=/api/orders/{id}"),
        exchange("no template of a route", get("/api/orders/4711/items")),
        exchange(
            "signatures in the query",
            get("/app/status/200?color=blue&sig=x&X-Amz-Signature=y"),
        )
        .server("url.path=/app/status/200")
        .server("url.query=color=blue&sig=REDACTED&X-Amz-Signature=REDACTED")
        .client("at=/app/status/200?color=blue&sig=REDACTED&X-Amz-Signature=REDACTED"),
        // Envoy's view of the connection comes from these headers, which describe another hop's.
        exchange(
            "proxies in front",
            get("/app/status/200")
                .header("x-forwarded-for", "203.0.113.9, 10.0.0.8")
                .header("x-forwarded-host", "shop.example:8443")
                .header("x-forwarded-proto", "https")
                .header("user-agent", "curl/8"),
        )
        .server("client.address=203.0.113.9 peer=none user_agent.original=curl/8")
        // What Envoy itself takes for the client there.
        .edge("client.address=10.0.0.8")
        .server("server.address=shop.example server.port=8443 url.scheme=https")
        .client("server.port=443 url.full=https://sidespan.test/app/status/200"),
        exchange(
            "an IPv6 authority",
            get("/app/status/200").header("host", "[::1]:8080"),
        )
        .both("server.address=::1 server.port=8080")
        .client("url.full=http://[::1]:8080/app/status/200"),
        exchange(
            "an empty authority",
            get("/app/status/200").header("host", ""),
        )
        .both("server.address=none server.port=none")
        .client("url.full=http:///app/status/200"),
        exchange("GET by HTTP/2", http2("GET", "/app/status/200")),
        exchange("GET to HTTP/2", get("/h2/plain")),
        exchange("a long stream of chunks", get("/app/stream")),
        exchange(
            "a request in chunks",
            http1("POST", "/app/status/200")
                .header("transfer-encoding", "chunked")
                .talks(&[
                    ("", "4\r\ndata\r\n"),
                    ("", "4\r\ndata\r\n0\r\n\r\n"),
                    ("\r\n\r\n", ""),
                ]),
        ),
        exchange(
            "a request in frames",
            http2("POST", "/h2/plain").body(&[Step::Data(b"data"); 3]),
        ),
        exchange(
            "100-continue",
            http1("POST", "/app/status/200")
                .header("content-length", "4")
                .header("expect", "100-continue")
                .talks(&[("100 Continue\r\n\r\n", "data"), ("\r\n\r\n", "")]),
        ),
        exchange(
            "a WebSocket that the caller closes",
            web_socket("/app/echo").talks(&[("\r\n\r\n", "ping"), ("ping", "")]),
        )
        .both("status=101 flags=DC"),
        exchange(
            "a WebSocket that the upstream closes",
            web_socket("/app/hello").talks(&[("ping", ""), (THE_END, "")]),
        )
        .both("status=101 flags=UC"),
        exchange(
            "a WebSocket by HTTP/2 that the upstream closes",
            http2("CONNECT", "/app/hello"),
        )
        // Envoy shows its filters an extended CONNECT as HTTP/1.1's upgrade.
        .both("name=GET http.request.method=GET status=101 flags=UC")
        .answers(200),
        exchange(
            "a WebSocket that is refused",
            web_socket("/app/status/403").talks(&[("\r\n\r\n", "")]),
        )
        .both("status=403")
        .client("error=403"),
        exchange(
            "a tunnel that the caller closes",
            http1("CONNECT", "sidespan.test:443").talks(&[
                ("\r\n\r\n", "GET /app/status/200 HTTP/1.1\r\n\r\n"),
                ("200 Scripted\r\n", ""),
            ]),
        )
        .both("server.port=443 flags=DC")
        .server("url.path=")
        .client("url.full=http://sidespan.test:443"),
        exchange(
            "a tunnel that the upstream closes",
            http1("CONNECT", "sidespan.test:443").talks(&[
                ("\r\n\r\n", "GET /app/hangup HTTP/1.1\r\n\r\n"),
                (THE_END, ""),
            ]),
        )
        .both("server.port=443")
        .server("url.path=")
        .client("url.full=http://sidespan.test:443"),
    ]
}

/// A text that no end sends, so that waiting for it is waiting for the end.
const THE_END: &str = "the end";

fn without_body(method: &'static str, path: &'static str) -> Call {
    http1(method, path).header("content-length", "0")
}

fn web_socket(path: &'static str) -> Call {
    get(path)
        .header("connection", "upgrade")
        .header("upgrade", "websocket")
}
