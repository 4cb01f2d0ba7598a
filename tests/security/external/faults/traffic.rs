//! Requests of one caller, each of them sent past the filter and then through it, with an upstream that does what the path says.

use std::net::SocketAddr;

use sidespan_tests::caller::Caller;
use sidespan_tests::draw::Draw;
use sidespan_tests::http::{Connection, Received, Reply, Request, Server};

/// The end of a request.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Answer {
    Status(u16),
    /// No answer, or not all of one.
    Broken,
    /// The proxy's own answer in an overload.
    Overloaded,
}

/// The numbers of a caller.
#[derive(Clone, Copy, Debug, Default)]
pub(super) struct Sent {
    pub(super) requests: u64,
    /// The requests through the filter that it is to have seen.
    pub(super) seen: u64,
    /// The requests with a fault of the upstream or of the caller.
    pub(super) faults: u64,
    pub(super) overloaded: u64,
}

/// Returns the upstream's reaction: what the first part of the path names.
pub(super) fn react(request: &Received) -> Reply {
    let name = request.path.split('/').nth(1).unwrap_or_default();
    match name {
        "hang-up" => Reply::HangUp,
        "cut" => Reply::Cut,
        "stall" => Reply::Stall,
        "silence" => Reply::Silence,
        "half-a-head" => Reply::Bytes(b"HTTP/1.1 200 OK\r\ncontent-le".into()),
        "no-http" => Reply::Bytes(b"\x16\x03\x01\0\0".into()),
        "half-closed" => Reply::Bytes(b"HTTP/1.1 200 OK\r\n\r\nuntil the end".into()),
        "late-reset" => Reply::Bytes(
            b"HTTP/1.1 200 OK\r\ntransfer-encoding: chunked\r\n\r\n5\r\nhello\r\n".into(),
        ),
        status => Reply::Answer(
            status.parse().unwrap_or(200),
            vec![("x-answer".into(), "as it is".into())],
            b"body".into(),
        ),
    }
}

/// Sends so many requests to both addresses: past the filter, and through it. Only where `gives_up` are there callers that go away, because
/// an overloaded proxy would answer them first.
///
/// # Panics
/// When one is answered otherwise through the filter.
pub(super) fn send(
    draw: &mut Draw,
    addresses: [SocketAddr; 2],
    upstream: &Server,
    gives_up: bool,
    count: u64,
) -> Sent {
    let mut sent = Sent::default();
    let mut open = [None, None];
    for _ in 0..count {
        let (path, request) = request(draw);
        if gives_up && path.starts_with("/silence") {
            abandon(addresses[1], upstream);
            sent.seen += 1;
            sent.faults += 1;
        }
        let [past, through] = [0, 1].map(|at| exchange(&mut open[at], addresses[at], &request));
        sent.requests += 1;
        sent.seen += u64::from(through != Answer::Overloaded);
        sent.faults += u64::from(!WHOLE.contains(&path));
        sent.overloaded += u64::from(through == Answer::Overloaded);
        // An overload may begin or end between the two.
        if past != Answer::Overloaded && through != Answer::Overloaded {
            assert_eq!(through, past, "{path}");
        }
    }
    sent
}

/// Sends a request that its caller gives up once the upstream has it.
fn abandon(address: SocketAddr, upstream: &Server) {
    let path = format!("/silence/{}", Caller::fresh().trace_id);
    let connection = Connection::open(address).expect("a listener");
    let request = Request::get(&path);
    let abandoned = connection.abandon(&request, || {
        upstream.wait(&path);
    });
    abandoned.expect("a connection to close");
}

fn exchange(open: &mut Option<Connection>, address: SocketAddr, request: &Request) -> Answer {
    let connection = open.take();
    let mut connection =
        connection.unwrap_or_else(|| Connection::open(address).expect("a listener"));
    let Ok(response) = connection.exchange(request) else {
        return Answer::Broken;
    };
    if !response.headers.has("connection") {
        *open = Some(connection);
    }
    match response.body.as_slice() {
        b"envoy overloaded" => Answer::Overloaded,
        _ => Answer::Status(response.status),
    }
}

fn request(draw: &mut Draw) -> (&'static str, Request) {
    // Those that take time are rare.
    let path = match draw.below(120) {
        0 => "/silence",
        1 => "/stall",
        2..26 => draw.one(&QUICK),
        _ => draw.one(&WHOLE),
    };
    let mut request = match draw.one_in(4) {
        true => Request::post(path, draw.bytes(5_000)),
        false => Request::get(path),
    };
    if draw.one_in(2) {
        let caller = Caller::fresh();
        request = match draw.one_in(2) {
            true => request.header("traceparent", caller.traceparent()),
            false => request.header("b3", caller.b3()),
        };
    }
    if draw.one_in(8) {
        request = request.header("tracestate", draw.bytes(60));
    }
    (path, request)
}

/// Paths with a whole answer.
const WHOLE: [&str; 5] = ["/200/a", "/orders/7?k=v", "/404", "/500", "/204"];
/// Faults that take no time.
const QUICK: [&str; 8] = [
    "/hang-up",
    "/cut",
    "/half-a-head",
    "/no-http",
    "/half-closed",
    "/late-reset",
    "/503",
    "/429",
];
