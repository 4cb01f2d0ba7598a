//! The exchanges of HTTP that the proxy answers by itself or brings to an answer, and those that break off.

use super::caller::{get, http1, http2};
use super::expected::{Exchange, exchange};

/// Returns exchanges that the proxy answers by itself, or with its help.
pub(super) fn local() -> Vec<Exchange> {
    vec![
        exchange("no host that is healthy", get("/nobody"))
            .both("status=503 error=503 flags=UH details=no_healthy_upstream")
            .client("peer=none"),
        exchange("a connection that is refused", get("/refused"))
            .both("status=503 error=503 flags=UF")
            .both(REFUSED)
            .client("network.peer.port=<refused>"),
        exchange("a pool that is full", get("/full"))
            .both("status=503 error=503 flags=UO")
            .both("details=upstream_reset_before_response_started{overflow}")
            .client("peer=none"),
        exchange("no route", get("/nowhere"))
            .both("status=404 flags=NR")
            .server("error=no_route details=route_not_found")
            .client("error=404 details=route_not_found peer=none"),
        exchange("a direct answer", get("/direct"))
            .both("status=403")
            .client("error=403 details=direct_response peer=none")
            .answered_here(),
        exchange("a route that redirects", get("/moved"))
            .both("status=301")
            .client("peer=none")
            .answered_here(),
        exchange("a rate limit", get("/limited/status/200"))
            .both("status=429 flags=RL")
            .client("error=429 details=local_rate_limited peer=none")
            .answered_here(),
        exchange(
            "a fault that is injected",
            get("/app/status/200").header("x-envoy-fault-abort-request", "503"),
        )
        .both("status=503 error=503 flags=FI details=fault_filter_abort")
        .client("peer=none")
        .answered_here(),
        // Both are refused before any filter sees them. Envoy's parser of HTTP/1.1 has a list of methods of its own.
        exchange("BREW by HTTP/1.1", http1("BREW", "/app/status/200")).no_span(400),
        exchange("QUERY of no type", http2("QUERY", "/app/status/200")).no_span(400),
        exchange("tries until it goes well", get("/retry/tries/503,503,200")).client("resends=2"),
        exchange("tries until the last", get("/retry/tries/503,503,503"))
            .both("status=503 error=503 flags=URX")
            .client("resends=2"),
        exchange("tries that are not allowed", get("/once/tries/503"))
            .both("status=503 error=503 flags=UO"),
        // ST-4: the first attempt's failure is not on the span.
        exchange("a try that is cut off", get("/retry/tries/hangup,404"))
            .both("status=404")
            .client("error=404 resends=1"),
        exchange(
            "a try that is too slow",
            get("/impatient/tries/silence,200"),
        )
        .client("resends=1"),
        exchange("tries that are too slow", get("/impatient/silence"))
            .both("status=504 error=504 flags=URX,UT details=upstream_per_try_timeout")
            .client("resends=2"),
        exchange(
            "tries to better an answer",
            get("/conflicts/tries/409,409,409"),
        )
        .both("status=409 flags=URX")
        .client("error=409 resends=2"),
        exchange("a route that is too slow", get("/brief/silence"))
            .both("status=504 error=504 flags=UT details=response_timeout"),
        exchange("an answer that is too slow", get("/brief/stall"))
            .both("error=upstream_timeout flags=UT details=response_timeout"),
        exchange("an upstream that is silent", get("/idle/silence"))
            .both("status=504 error=504 flags=SI details=stream_idle_timeout"),
        exchange("an answer that stops", get("/idle/stall"))
            .both("error=stream_idle_timeout flags=SI details=stream_idle_timeout"),
        exchange(
            "a caller that is silent",
            http1("POST", "/idle/silence")
                .header("content-length", "4")
                .talks(&[("\r\n\r\n", "")]),
        )
        .both("status=408 flags=SI")
        .client("error=408 details=stream_idle_timeout"),
        exchange(
            "a caller that does not speak HTTP",
            http1("POST", "/app/silence")
                .header("transfer-encoding", "chunked")
                .talks(&[("", "what\r\n"), ("\r\n\r\n", "")]),
        )
        .both("status=400 flags=DPE")
        .client("error=400 details=http1.codec_error"),
        exchange("a stream that lasts too long", get("/short/silence"))
            .both("status=504 error=504 details=max_duration_timeout"),
        // Cut off. Envoy has no flag for that, and a property for the details of every exchange would cost too much.
        exchange("an answer that lasts too long", get("/short/stall")),
        // The request goes through the filters twice, the second time with the context that they have written in the first.
        exchange("a redirect that is followed", get("/follow/elsewhere"))
            .both("status=302")
            .again("status=200 at=/app/status/200"),
    ]
}

/// Returns exchanges that one of the two ends breaks off.
pub(super) fn broken() -> Vec<Exchange> {
    vec![
        exchange("an upstream that hangs up", get("/app/hangup"))
            .both("status=503 error=503 flags=UC")
            .both("details=upstream_reset_before_response_started{connection_termination}"),
        exchange("an upstream that resets its stream", get("/h2/reset"))
            .both("status=503 error=503 flags=UR")
            .both("details=upstream_reset_before_response_started{remote_reset}"),
        exchange("an upstream that does not speak HTTP", get("/app/garbage"))
            .both("status=502 error=502 flags=UPE")
            .both("details=upstream_reset_before_response_started{protocol_error}"),
        exchange("a body that is cut", get("/app/cut"))
            .both("error=upstream_protocol_error flags=UPE")
            .both("details=upstream_reset_after_response_started{protocol_error}"),
        exchange("a chunk that is cut", get("/app/cutchunk"))
            .both("error=upstream_protocol_error flags=UPE")
            .both("details=upstream_reset_after_response_started{protocol_error}"),
        exchange("a stream that is cut", get("/h2/cut"))
            .both("error=upstream_remote_reset flags=UR")
            .both("details=upstream_reset_after_response_started{remote_reset}"),
        exchange(
            "a caller that goes away before the answer",
            get("/app/silence").leaves_before_the_answer(),
        )
        .both("status=none flags=DC")
        .server("error=downstream_reset details=downstream_remote_disconnect"),
        exchange(
            "a caller that goes away within its request",
            http1("POST", "/h2/Silence")
                .header("content-length", "4")
                .leaves_before_the_answer(),
        )
        .both("status=none flags=DC")
        .server("error=downstream_reset details=downstream_remote_disconnect"),
        exchange(
            "a caller that goes away within the answer",
            get("/app/stall").leaves_within_the_answer(),
        )
        .both("flags=DC"),
        exchange(
            "a caller that resets before the answer",
            http2("GET", "/app/silence").leaves_before_the_answer(),
        )
        .both("status=none flags=DR")
        .server("error=downstream_reset details=http2.remote_reset"),
        exchange(
            "a caller that resets within the answer",
            http2("GET", "/app/stall").leaves_within_the_answer(),
        )
        .both("flags=DR"),
    ]
}

/// The failure in Envoy's words, and the kernel's.
pub(super) const REFUSED: &str = concat!(
    "details=upstream_reset_before_response_started",
    "{remote_connection_failure|delayed_connect_error:_Connection_refused}"
);
