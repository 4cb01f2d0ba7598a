//! A service of the mesh: calls the next ones through its own sidecar with the context in its own format, and fails where a request asks
//! for it.

use std::cell::RefCell;
use std::net::SocketAddr;
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Arc, OnceLock};

use sidespan_tests::draw::Draw;
use sidespan_tests::http::{Connection, Received, Reply, Request, Server};

/// A service.
#[derive(Clone, Copy)]
pub(super) struct Service {
    pub(super) name: &'static str,
    pub(super) callees: &'static [&'static str],
    /// The headers of its format, which it passes on.
    passes: &'static [&'static str],
    /// The time that its callers' sidecars give it: longer than its own callees have, and than a leaf takes on a machine that others use.
    pub(super) limit: &'static str,
}

/// The services, those first that are called.
///
/// ```text
/// front ─┬─ orders ─┬─ payments ── bank
///        │          └─ stock
///        └─ search
/// ```
pub(super) const SERVICES: [Service; 6] = [
    leaf("bank"),
    leaf("stock"),
    leaf("search"),
    Service {
        name: "payments",
        callees: &["bank"],
        passes: &["uber-trace-id"],
        limit: "8s",
    },
    Service {
        name: "orders",
        callees: &["payments", "stock"],
        passes: &["b3"],
        limit: "12s",
    },
    Service {
        name: "front",
        callees: &["orders", "search"],
        passes: &["traceparent", "tracestate"],
        limit: "16s",
    },
];

const fn leaf(name: &'static str) -> Service {
    Service {
        name,
        callees: &[],
        passes: &[],
        limit: "4s",
    }
}

/// The spans of a request through all services: two for each call, and one for that from outside.
pub(super) const SPANS: usize = 11;
/// The ways in which a service fails.
const FAULTS: [&str; 9] = [
    "500",
    "503",
    "404",
    "hang-up",
    "cut",
    "half-a-head",
    "no-http",
    "stall",
    "silence",
];

/// The behaviour that a request asks for: a fault of one service, or none.
#[derive(Clone, Copy, Default)]
pub(super) struct Case(Option<(&'static str, &'static str)>);

impl Case {
    fn draw(draw: &mut Draw) -> Self {
        if !draw.one_in(6) {
            return Self::default();
        }
        // Those that take time are rare.
        let fault = match draw.one_in(5) {
            true => draw.one(&FAULTS),
            false => draw.one(&FAULTS[..7]),
        };
        let [callees @ .., _front] = &SERVICES;
        Self(Some((draw.one(callees).name, fault)))
    }

    /// Returns the status of the front's answer.
    pub(super) fn expected(self) -> u16 {
        match self.0 {
            None => 200,
            Some(_) => 502,
        }
    }

    fn path(self) -> String {
        let (service, fault) = self.0.unwrap_or(("none", "fails"));
        format!("/front/{service}/{fault}")
    }
}

/// Starts a service that calls others at the address that is set later.
pub(super) fn start(own: Service, way_out: &Arc<OnceLock<SocketAddr>>) -> Server {
    let way_out = Arc::clone(way_out);
    Server::start(move |request| {
        let mut parts = request.path.split('/').skip(2);
        let (service, fault) = (parts.next(), parts.next().unwrap_or_default());
        if service == Some(own.name) {
            return fails(fault);
        }
        let out = *way_out.get().expect("requests come after the start");
        // All of them, although one has failed.
        let answers = own.callees.iter();
        let answers: Vec<_> = answers
            .map(|callee| calls(out, callee, own.passes, request))
            .collect();
        let well = answers.iter().all(|is_well| *is_well);
        Reply::Answer(if well { 200 } else { 502 }, Vec::new(), own.name.into())
    })
}

fn fails(fault: &str) -> Reply {
    match fault {
        "hang-up" => Reply::HangUp,
        "cut" => Reply::Cut,
        "half-a-head" => Reply::Bytes(b"HTTP/1.1 200 OK\r\ncontent-le".into()),
        "no-http" => Reply::Bytes(b"\x16\x03\x01\0\0".into()),
        "stall" => Reply::Stall,
        "silence" => Reply::Silence,
        status => Reply::status(status.parse().expect("a status")),
    }
}

/// Calls a service; returns true if it answers 200.
fn calls(out: SocketAddr, callee: &str, passes: &[&str], request: &Received) -> bool {
    thread_local! {
        static OPEN: RefCell<Option<Connection>> = const { RefCell::new(None) };
    }
    let rest = request.path.splitn(3, '/').nth(2).unwrap_or_default();
    let mut call = Request::get(&format!("/{callee}/{rest}"));
    for name in passes {
        for value in request.headers.all(name) {
            call = call.header(name, value);
        }
    }
    OPEN.with_borrow_mut(|open| {
        let connection = open.take();
        let mut connection =
            connection.unwrap_or_else(|| Connection::open(out).expect("a listener"));
        let Ok(response) = connection.exchange(&call) else {
            return false;
        };
        *open = Some(connection).filter(|_| !response.headers.has("connection"));
        response.status == 200
    })
}

/// Sends requests until it is enough; returns how many, and those with a fault.
///
/// # Panics
/// When one is not answered as its services do.
pub(super) fn load(draw: &mut Draw, way_in: SocketAddr, is_enough: &AtomicBool) -> (u64, u64) {
    let (mut requests, mut faults) = (0, 0);
    let mut connection = Connection::open(way_in).expect("a listener");
    while !is_enough.load(Ordering::Relaxed) {
        let case = Case::draw(draw);
        let path = case.path();
        let response = connection.exchange(&Request::get(&path));
        let response = response.unwrap_or_else(|error| panic!("{path}: {error}"));
        assert_eq!(response.status, case.expected(), "{path}");
        requests += 1;
        faults += u64::from(case.0.is_some());
    }
    (requests, faults)
}
