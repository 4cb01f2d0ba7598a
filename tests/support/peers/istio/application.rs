//! An application: it answers, calls the next one, and copies the headers of its own trace format and nothing else.

use std::net::SocketAddr;
use std::sync::atomic::{AtomicU64, Ordering};
use std::sync::{Arc, Mutex, OnceLock, PoisonError};

use crate::http::{Connection, Received, Reply, Request, Response, Server};

/// The trace format that an application copies from the request that came in to those that go out.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Format {
    /// `traceparent` and `tracestate`.
    W3c,
    /// `x-b3-traceid` and its four companions.
    B3,
}

impl Format {
    fn headers(self) -> &'static [&'static str] {
        match self {
            Self::W3c => &["traceparent", "tracestate"],
            Self::B3 => &[
                "x-b3-traceid",
                "x-b3-spanid",
                "x-b3-parentspanid",
                "x-b3-sampled",
                "x-b3-flags",
            ],
        }
    }
}

/// A running application, which ends when it is dropped.
pub(super) struct Application {
    server: Server,
    next: Arc<Next>,
}

struct Next {
    format: Format,
    /// Host that it calls; none for the last.
    host: Option<String>,
    /// Address of its sidecar's outbound side, which is known only after the sidecar knows the application.
    outbound: OnceLock<SocketAddr>,
    /// Connections that are open, so that a call needs no new one.
    idle: Mutex<Vec<Connection>>,
    /// Requests that it is still to answer with 503.
    failing: AtomicU64,
}

impl Application {
    /// Starts an application on a free port.
    pub(super) fn start(format: Format, calls: Option<String>) -> Self {
        let next = Arc::new(Next {
            format,
            host: calls,
            outbound: OnceLock::new(),
            idle: Mutex::default(),
            failing: AtomicU64::new(0),
        });
        let calling = Arc::clone(&next);
        Self {
            server: Server::start(move |request| calling.answer(request)),
            next,
        }
    }

    pub(super) fn address(&self) -> SocketAddr {
        self.server.address()
    }

    /// Answers the next requests with 503.
    pub(super) fn fail(&self, count: u64) {
        self.next.failing.store(count, Ordering::Relaxed);
    }

    /// Sets the sidecar's address for the application's own calls; the first address stays.
    pub(super) fn call_through(&self, outbound: SocketAddr) {
        self.next.outbound.get_or_init(|| outbound);
    }
}

impl Next {
    /// Answers as the next application does, or 200 where there is none.
    fn answer(&self, received: &Received) -> Reply {
        let left = self
            .failing
            .fetch_update(Ordering::Relaxed, Ordering::Relaxed, |left| {
                left.checked_sub(1)
            });
        if left.is_ok() {
            return Reply::status(503);
        }
        let Some(host) = &self.host else {
            return Reply::status(200);
        };
        let own = self.format.headers().iter();
        let copied = own.filter_map(|name| Some((*name, received.headers.one(name)?)));
        let request = copied.fold(
            Request::to(&received.method, host, &received.path),
            |request, (name, value)| request.header(name, value),
        );
        // What no proxy answers is a failure of its own, which no proxy makes by itself.
        let status = self.call(&request).map_or(599, |answer| answer.status);
        Reply::status(status)
    }

    fn call(&self, request: &Request) -> Option<Response> {
        let idle = || self.idle.lock().unwrap_or_else(PoisonError::into_inner);
        let used = idle().pop();
        if let Some(mut connection) = used
            && let Ok(answer) = connection.exchange(request)
        {
            self.give_back(connection, &answer);
            return Some(answer);
        }
        // None is open, or the proxy closed it meanwhile: as HTTP clients do, again on a new one.
        let mut connection = Connection::open(*self.outbound.get()?).ok()?;
        let answer = connection.exchange(request).ok()?;
        self.give_back(connection, &answer);
        Some(answer)
    }

    fn give_back(&self, connection: Connection, answer: &Response) {
        let closes = answer.headers.one("connection");
        if closes.is_none_or(|value| value != "close") {
            let mut idle = self.idle.lock().unwrap_or_else(PoisonError::into_inner);
            idle.push(connection);
        }
    }
}
