//! The cases: a chain, a request, and what each span is to tell.

use serde_json::{Value, json};
use sidespan_envoy::HttpFilter;
use sidespan_sink::SpanKind;
use sidespan_tests::http::Request;

use super::filters;
use super::scene::Way;

/// One chain with one request.
pub(super) struct Case {
    pub(super) title: &'static str,
    /// The filters between the client and ours.
    pub(super) front: Vec<HttpFilter>,
    /// The filters between ours and the router.
    pub(super) behind: Vec<HttpFilter>,
    /// The listener's `local_reply_config`.
    pub(super) local_replies: Option<Value>,
    pub(super) request: Request,
    /// The status that the client gets.
    pub(super) answer: u16,
    client: Option<Told>,
    server: Option<Told>,
    // True where no upstream was called, and none failed.
    is_answered_here: bool,
}

/// The telling part of a span: its code, gRPC's or else HTTP's, and whether it is an error.
#[derive(Clone, Copy, Debug)]
pub(super) struct Told {
    pub(super) code: &'static str,
    pub(super) is_error: bool,
    /// True if a request that is not sampled is kept for it.
    pub(super) is_kept: bool,
}

impl Case {
    fn new(title: &'static str, request: Request, answer: u16) -> Self {
        Self {
            title,
            front: Vec::new(),
            behind: Vec::new(),
            local_replies: None,
            request,
            answer,
            client: None,
            server: None,
            is_answered_here: false,
        }
    }

    fn front(mut self, filter: HttpFilter) -> Self {
        self.front.push(filter);
        self
    }

    fn behind(mut self, filter: HttpFilter) -> Self {
        self.behind.push(filter);
        self
    }

    fn client(mut self, told: Told) -> Self {
        self.client = Some(told);
        self
    }

    fn server(mut self, told: Told) -> Self {
        self.server = Some(told);
        self
    }

    fn both(self, told: Told) -> Self {
        self.client(told).server(told)
    }

    /// Says that this Envoy answers by itself, and has not failed.
    fn answered_here(mut self) -> Self {
        self.is_answered_here = true;
        self
    }

    fn mapped(mut self, from: u16, to: u16) -> Self {
        self.local_replies = Some(json!({"mappers": [{
            "filter": {"status_code_filter": {"comparison": {
                "op": "EQ",
                "value": {"default_value": from, "runtime_key": "none"},
            }}},
            "status_code": to,
        }]}));
        self
    }

    /// Returns the spans on this way, SERVER first.
    pub(super) fn told(&self, way: Way) -> Vec<(SpanKind, Told)> {
        let server = self.server.map(|told| (SpanKind::Server, told));
        let client = self.client.map(|told| (SpanKind::Client, told));
        let spans = match way {
            Way::Inbound => [server, None],
            Way::Outbound => [None, client],
            // Nobody was called from there.
            Way::Edge if self.is_answered_here => [server, None],
            Way::Edge => [server, client],
        };
        spans.into_iter().flatten().collect()
    }
}

fn ok(code: &'static str) -> Told {
    Told {
        code,
        is_error: false,
        is_kept: false,
    }
}

fn error(code: &'static str) -> Told {
    Told {
        code,
        is_error: true,
        is_kept: true,
    }
}

/// An error of the caller alone, which is none of the server's and kept nowhere.
fn callers_error(code: &'static str) -> Told {
    Told {
        code,
        is_error: true,
        is_kept: false,
    }
}

/// Returns all cases.
pub(super) fn all() -> Vec<Case> {
    let (good, bad) = (
        || Request::get("/status/200"),
        || Request::get("/status/500"),
    );
    let unavailable = || Request::get("/status/503");
    let preflight = || {
        Request::new("OPTIONS", "/cors")
            .header("origin", "http://web.test")
            .header("access-control-request-method", "GET")
    };
    vec![
        Case::new("custom_response in front", unavailable(), 200)
            .front(filters::custom_response(503, 200))
            .client(error("503"))
            .server(ok("200")),
        Case::new("custom_response behind", unavailable(), 200)
            .behind(filters::custom_response(503, 200))
            .both(ok("200")),
        Case::new("custom_response behind, from good to bad", good(), 503)
            .behind(filters::custom_response(200, 503))
            .both(error("503")),
        Case::new("Lua in front hides a failure", bad(), 200)
            .front(filters::lua_status(200))
            .client(error("500"))
            .server(ok("200")),
        Case::new("Lua behind hides a failure", bad(), 200)
            .behind(filters::lua_status(200))
            .both(ok("200")),
        Case::new("Lua in front makes a failure", good(), 500)
            .front(filters::lua_status(500))
            .client(ok("200"))
            .server(error("500")),
        Case::new("Lua behind makes a failure", good(), 500)
            .behind(filters::lua_status(500))
            .both(error("500")),
        Case::new("grpc_web in front, OK", grpc_web("Ok"), 200)
            .front(filters::grpc_web())
            .both(ok("OK")),
        Case::new(
            "grpc_web in front, UNAVAILABLE",
            grpc_web("Unavailable"),
            200,
        )
        .front(filters::grpc_web())
        .both(error("UNAVAILABLE")),
        Case::new("grpc_web in front, NOT_FOUND", grpc_web("NotFound"), 200)
            .front(filters::grpc_web())
            .client(callers_error("NOT_FOUND"))
            .server(ok("NOT_FOUND")),
        // The status is in the body then, which no filter of tracing reads.
        Case::new("grpc_web behind, UNAVAILABLE", grpc_web("Unavailable"), 200)
            .behind(filters::grpc_web())
            .both(ok("200")),
        Case::new("connect_grpc_bridge in front, OK", connect("Ok"), 200)
            .front(filters::connect_grpc_bridge())
            .both(ok("OK")),
        Case::new(
            "connect_grpc_bridge in front, UNAVAILABLE",
            connect("Unavailable"),
            503,
        )
        .front(filters::connect_grpc_bridge())
        .both(error("UNAVAILABLE")),
        Case::new("connect_grpc_bridge behind, OK", connect("Ok"), 200)
            .behind(filters::connect_grpc_bridge())
            .both(ok("200")),
        Case::new(
            "connect_grpc_bridge behind, UNAVAILABLE",
            connect("Unavailable"),
            503,
        )
        .behind(filters::connect_grpc_bridge())
        .both(error("503")),
        Case::new(
            "503 of a refused connection becomes 423",
            Request::get("/refused"),
            423,
        )
        .mapped(503, 423)
        .both(error("423")),
        Case::new(
            "503 of a refused connection becomes 200",
            Request::get("/refused"),
            200,
        )
        .mapped(503, 200)
        .both(error("200")),
        Case::new(
            "503 of no healthy host becomes 423",
            Request::get("/nobody"),
            423,
        )
        .mapped(503, 423)
        .both(error("423")),
        Case::new("404 of no route", Request::get("/nowhere"), 404).both(error("404")),
        Case::new(
            "504 of a timeout becomes 423",
            Request::get("/silence"),
            423,
        )
        .mapped(504, 423)
        .both(error("423")),
        Case::new("an upstream's 423", Request::get("/status/423"), 423)
            .mapped(503, 423)
            .client(callers_error("423"))
            .server(ok("423")),
        Case::new(
            "Lua in front hides a refused connection",
            Request::get("/refused"),
            200,
        )
        .front(filters::lua_status(200))
        .client(error("503"))
        .server(error("200")),
        Case::new("CORS preflight, cors behind", preflight(), 200)
            .behind(filters::cors())
            .both(ok("200"))
            .answered_here(),
        Case::new("CORS preflight, cors in front", preflight(), 200).front(filters::cors()),
        Case::new("a direct response", Request::get("/direct"), 200)
            .both(ok("200"))
            .answered_here(),
        Case::new(
            "a direct response that is a failure",
            Request::get("/broken"),
            500,
        )
        .both(error("500"))
        .answered_here(),
        Case::new("a redirect", Request::get("/moved"), 301)
            .both(ok("301"))
            .answered_here(),
    ]
}

/// A call by gRPC-Web, whose one message is empty.
fn grpc_web(method: &str) -> Request {
    Request::post(&format!("/shop.Cart/{method}"), [0; 5])
        .header("content-type", "application/grpc-web+proto")
        .header("x-grpc-web", "1")
}

/// A unary call by the Connect protocol.
fn connect(method: &str) -> Request {
    Request::post(&format!("/shop.Cart/{method}"), [])
        .header("content-type", "application/proto")
        .header("connect-protocol-version", "1")
}
