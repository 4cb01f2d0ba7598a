//! The upstreams behind the proxy: one by HTTP/1.1, which answers to `/<route>/<behaviour>`, and one by HTTP/2, which
//! answers to `/<anything>/<behaviour>`, gRPC's methods among them.

use std::collections::{HashMap, HashSet, VecDeque};
use std::io;
use std::net::SocketAddr;
use std::pin::Pin;
use std::sync::{Arc, Mutex};
use std::task::{Context, Poll, ready};

use hyper::body::{Body, Bytes, Frame, Incoming};
use hyper::header::HeaderMap;
use hyper::server::conn::http2;
use hyper::service::service_fn;
use hyper::{Request, Response};
use hyper_util::rt::{TokioExecutor, TokioIo};
use sidespan_tests::http::{Received, Reply, Server};
use tokio::net::TcpListener;
use tokio::sync::watch;

/// An event at one end of an exchange, for which the other end waits.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub(super) enum Note {
    /// The upstream has the request.
    Arrived,
    /// The caller has the headers of the response.
    Heard,
}

/// The events that both ends note and wait for, by trace id.
#[derive(Clone, Default)]
pub(super) struct Board(Arc<watch::Sender<HashSet<(Note, String)>>>);

impl Board {
    pub(super) fn tell(&self, note: Note, trace_id: &str) {
        self.0.send_modify(|notes| {
            notes.insert((note, trace_id.to_owned()));
        });
    }

    pub(super) async fn until(self, note: Note, trace_id: String) {
        let wanted = (note, trace_id);
        let told = self.0.subscribe();
        // The wait ends with the wanted event, because the sender lives as long as this value.
        let _ = { told }.wait_for(|notes| notes.contains(&wanted)).await;
    }
}

/// Starts the upstream that speaks HTTP/1.1.
pub(super) fn http1(board: Board) -> Server {
    let tries: Mutex<HashMap<String, usize>> = Mutex::default();
    Server::start(move |request| {
        let trace_id = trace_of(request);
        board.tell(Note::Arrived, &trace_id);
        let mut words = request.path.split(['/', '?']).skip(2);
        match (words.next().unwrap_or_default(), words.next()) {
            ("hangup", _) => Reply::HangUp,
            ("cut", _) => Reply::Cut,
            ("cutchunk", _) => bytes(&[HEAD_OF_CHUNKS, b"10\r\nonly this"]),
            ("garbage", _) => bytes(&[b"I do not speak HTTP\r\n\r\n"]),
            ("stall", _) => Reply::Stall,
            ("silence", _) => Reply::Silence,
            ("stream", _) => bytes(&[HEAD_OF_CHUNKS, &b"4\r\ndata\r\n".repeat(200), b"0\r\n\r\n"]),
            ("echo", _) => Reply::Echo(
                b"HTTP/1.1 101 Scripted\r\nupgrade: websocket\r\nconnection: upgrade\r\n\r\n"
                    .into(),
            ),
            ("hello", _) => bytes(&[
                b"HTTP/1.1 101 Scripted\r\nupgrade: websocket\r\nconnection: upgrade\r\n\r\nping",
            ]),
            ("elsewhere", _) => {
                let there = format!("http://{HOST}/app/status/200");
                Reply::Answer(302, vec![("location".into(), there)], Vec::new())
            }
            ("status", Some(code)) => Reply::status(code.parse().expect("a status")),
            ("tries", Some(codes)) => {
                let mut tries = tries.lock().expect("no reply panics");
                let before = tries.entry(trace_id).or_default();
                let code = codes
                    .split(',')
                    .nth(*before)
                    .expect("as many tries as codes");
                *before += 1;
                match code {
                    "hangup" => Reply::HangUp,
                    "silence" => Reply::Silence,
                    code => Reply::status(code.parse().expect("a status")),
                }
            }
            _ => Reply::status(200),
        }
    })
}

const HEAD_OF_CHUNKS: &[u8] = b"HTTP/1.1 200 OK\r\ntransfer-encoding: chunked\r\n\r\n";

/// The host of every request.
pub(super) const HOST: &str = "sidespan.test";

fn bytes(parts: &[&[u8]]) -> Reply {
    Reply::Bytes(parts.concat())
}

fn trace_of(request: &Received) -> String {
    let traceparent = request.headers.one("traceparent").unwrap_or_default();
    traceparent.split('-').nth(1).unwrap_or_default().to_owned()
}

/// A piece of a body.
#[derive(Clone, Copy, Debug)]
pub(super) enum Step {
    Data(&'static [u8]),
    /// The end of the body, with this `grpc-status`.
    Status(&'static str),
    /// A pause until the caller has the response's headers, because a stream that is cut off earlier may send none.
    Heard,
    /// A reset of the stream.
    Reset,
    /// Silence.
    Forever,
}

/// A body as a sequence of steps.
pub(super) struct Steps {
    left: VecDeque<Step>,
    heard: Pin<Box<dyn Future<Output = ()> + Send>>,
}

impl Steps {
    pub(super) fn new(steps: &[Step], board: &Board, trace_id: &str) -> Self {
        Self {
            left: steps.iter().copied().collect(),
            heard: Box::pin(board.clone().until(Note::Heard, trace_id.to_owned())),
        }
    }
}

impl Body for Steps {
    type Data = Bytes;
    type Error = io::Error;

    fn poll_frame(
        mut self: Pin<&mut Self>,
        context: &mut Context<'_>,
    ) -> Poll<Option<Result<Frame<Bytes>, io::Error>>> {
        if let Some(Step::Heard) = self.left.front() {
            ready!(self.heard.as_mut().poll(context));
            self.left.pop_front();
        }
        let frame = match self.left.front() {
            None | Some(Step::Heard) => return Poll::Ready(None),
            Some(Step::Forever) => return Poll::Pending,
            Some(Step::Reset) => Err(io::ErrorKind::ConnectionReset.into()),
            Some(Step::Data(data)) => Ok(Frame::data(Bytes::from_static(data))),
            Some(Step::Status(code)) => {
                let value = code.parse().expect("a header value");
                Ok(Frame::trailers(HeaderMap::from_iter([(
                    hyper::header::HeaderName::from_static("grpc-status"),
                    value,
                )])))
            }
        };
        self.left.pop_front();
        Poll::Ready(Some(frame))
    }

    fn is_end_stream(&self) -> bool {
        self.left.is_empty()
    }
}

/// Starts the upstream that speaks HTTP/2.
pub(super) async fn http2(board: Board) -> SocketAddr {
    let listener = TcpListener::bind("127.0.0.1:0").await.expect("a free port");
    let address = listener
        .local_addr()
        .expect("a bound socket has an address");
    tokio::spawn(async move {
        while let Ok((stream, _)) = listener.accept().await {
            let board = board.clone();
            let service = service_fn(move |request| answer(request, board.clone()));
            let serving = http2::Builder::new(TokioExecutor::new())
                .serve_connection(TokioIo::new(stream), service);
            tokio::spawn(serving);
        }
    });
    address
}

async fn answer(request: Request<Incoming>, board: Board) -> Result<Response<Steps>, io::Error> {
    use Step::{Data, Forever, Heard, Reset, Status};
    let traceparent = request.headers().get("traceparent");
    let traceparent = traceparent.and_then(|value| value.to_str().ok());
    let trace_id = traceparent.and_then(|value| value.split('-').nth(1));
    let trace_id = trace_id.unwrap_or_default().to_owned();
    board.tell(Note::Arrived, &trace_id);
    let message = Data(b"\0\0\0\0\0");
    let (grpc, html) = ("application/grpc", "text/html");
    let behaviour = request.uri().path().rsplit('/').next();
    let (status, content_type, steps) = match behaviour.unwrap_or_default() {
        "Ok" => (200, grpc, vec![message, Status("0")]),
        "NotFound" => (200, grpc, vec![Status("5")]),
        "Internal" => (200, grpc, vec![message, message, Status("13")]),
        "Strange" => (200, grpc, vec![Status("77")]),
        "Stream" => (200, grpc, [vec![message; 100], vec![Status("0")]].concat()),
        "NoStatus" => (200, grpc, vec![message]),
        "Reset" => (200, grpc, vec![message, Heard, Reset]),
        "Stall" => (200, grpc, vec![message, Forever]),
        "Page" => (404, html, vec![Data(b"<html>")]),
        "plain" => (200, html, vec![Data(b"some")]),
        "cut" => (200, html, vec![Data(b"some"), Heard, Reset]),
        "reset" | "ResetEarly" => return Err(io::ErrorKind::ConnectionReset.into()),
        "Silence" => std::future::pending().await,
        _ => (200, grpc, vec![]),
    };
    let mut response = Response::builder()
        .status(status)
        .header("content-type", content_type);
    // One block of headers, which are also the trailers.
    if let Some(code) = behaviour.and_then(|name| name.strip_prefix("Status")) {
        response = response.header("grpc-status", code);
    }
    let body = Steps::new(&steps, &board, &trace_id);
    Ok(response.body(body).expect("an answer"))
}
