//! The exchanges of gRPC.

use super::caller::{grpc, http2};
use super::expected::{Exchange, exchange};
use super::faults::REFUSED;
use super::upstream::Step;

/// Returns the exchanges of gRPC. The upstream answers each method by its name: `Status<n>` with one block of headers,
/// which are the trailers.
pub(super) fn calls() -> Vec<Exchange> {
    vec![
        exchange("a call", grpc("/shop.Cart/Ok")),
        exchange("a stream of messages", grpc("/shop.Cart/Stream")),
        exchange(
            "messages in a stream",
            grpc("/shop.Cart/Ok").body(&[Step::Data(b"\0\0\0\0\0"); 50]),
        ),
        exchange("NOT_FOUND", grpc("/shop.Cart/NotFound"))
            .both("grpc=NOT_FOUND")
            .client("error=NOT_FOUND"),
        exchange("UNAVAILABLE without a message", grpc("/shop.Cart/Status14"))
            .both("grpc=UNAVAILABLE error=UNAVAILABLE"),
        exchange("DEADLINE_EXCEEDED", grpc("/shop.Cart/Status4"))
            .both("grpc=DEADLINE_EXCEEDED error=DEADLINE_EXCEEDED"),
        exchange("UNIMPLEMENTED", grpc("/shop.Cart/Status12"))
            .both("grpc=UNIMPLEMENTED error=UNIMPLEMENTED")
            .server("name=grpc rpc.method=_OTHER rpc.method_original=shop.Cart/Status12"),
        exchange("INTERNAL behind messages", grpc("/shop.Cart/Internal"))
            .both("grpc=INTERNAL error=INTERNAL"),
        exchange("a status that nobody knows", grpc("/shop.Cart/Strange")).both("grpc=77 error=77"),
        exchange("no status", grpc("/shop.Cart/NoStatus"))
            .server("grpc=none error=_OTHER")
            .server("name=grpc rpc.method=_OTHER rpc.method_original=shop.Cart/NoStatus")
            .client("grpc=UNKNOWN error=UNKNOWN"),
        exchange("a page that is not found", grpc("/shop.Cart/Page"))
            .both("status=404")
            .server("grpc=none error=404")
            .server("name=grpc rpc.method=_OTHER rpc.method_original=shop.Cart/Page")
            .client("grpc=UNIMPLEMENTED error=UNIMPLEMENTED"),
        exchange("a path that is no method", grpc("/cart/items/Ok"))
            .both("name=grpc rpc.method=_OTHER rpc.method_original=cart/items/Ok"),
        exchange("no host that is healthy", grpc("/shop.Nobody/Ok"))
            .both("grpc=UNAVAILABLE error=UNAVAILABLE flags=UH details=no_healthy_upstream")
            .client("peer=none"),
        exchange("a connection that is refused", grpc("/shop.Refused/Ok"))
            .both("grpc=UNAVAILABLE error=UNAVAILABLE flags=UF")
            .both(REFUSED)
            .client("network.peer.port=<refused>"),
        exchange("no route", grpc("/nowhere.Cart/Ok"))
            .both("grpc=UNIMPLEMENTED error=UNIMPLEMENTED flags=NR details=route_not_found")
            .server("name=grpc rpc.method=_OTHER rpc.method_original=nowhere.Cart/Ok")
            .client("peer=none"),
        // Envoy's own 504, in Envoy's translation to gRPC.
        exchange("a route that is too slow", grpc("/shop.Brief/Silence"))
            .both("grpc=UNAVAILABLE error=UNAVAILABLE flags=UT details=response_timeout"),
        exchange("an answer that is too slow", grpc("/shop.Brief/Stall"))
            .both("grpc=UNAVAILABLE error=upstream_timeout flags=UT details=response_timeout"),
        exchange(
            "an upstream that resets at once",
            grpc("/shop.Cart/ResetEarly"),
        )
        .both("grpc=UNAVAILABLE error=UNAVAILABLE flags=UR")
        .both("details=upstream_reset_before_response_started{remote_reset}"),
        exchange("an upstream that resets later", grpc("/shop.Cart/Reset"))
            .both("grpc=UNAVAILABLE error=upstream_remote_reset flags=UR")
            .both("details=upstream_reset_after_response_started{remote_reset}"),
        exchange(
            "a caller that cancels before the answer",
            grpc("/shop.Cart/Silence").leaves_before_the_answer(),
        )
        .both("status=none grpc=CANCELLED flags=DR")
        .server("error=downstream_reset details=http2.remote_reset"),
        exchange(
            "a caller that cancels within the answer",
            grpc("/shop.Cart/Stall").leaves_within_the_answer(),
        )
        .both("grpc=CANCELLED flags=DR"),
        exchange(
            "gRPC-Web, which is HTTP",
            http2("POST", "/h2/plain").header("content-type", "application/grpc-web"),
        ),
    ]
}
