//! SIGKILL of `sidespan sink --data` while it receives over both transports: what it has acknowledged is there once.

use std::collections::{BTreeMap, BTreeSet};
use std::net::SocketAddr;
use std::sync::atomic::{AtomicU64, Ordering};
use std::sync::{Arc, Mutex};
use std::time::Duration;

use http_body_util::{BodyExt, Full};
use hyper::body::Bytes;
use hyper::client::conn::{http1, http2};
use hyper::{Method, Request};
use hyper_util::rt::{TokioExecutor, TokioIo};
use opentelemetry_proto::tonic::collector::trace::v1::ExportTraceServiceRequest;
use opentelemetry_proto::tonic::trace::v1::{ResourceSpans, ScopeSpans, Span};
use prost::Message;
use serde_json::Value;
use tempfile::TempDir;
use tokio::net::TcpStream;
use tokio::sync::watch;
use tokio::task::JoinSet;
use tokio::time::timeout;

use super::client::{EXPORT, PROTOBUF, TRACES, framed, send};
use super::program::Program;

const KILLS: usize = 20;
const SPANS: u64 = 5;
const LIMIT: Duration = Duration::from_secs(60);

/// The requests of all senders.
#[derive(Default)]
struct Work {
    next: AtomicU64,
    /// Sent, and without an answer: an exporter sends them again.
    lost: Mutex<Vec<u64>>,
    acknowledged: watch::Sender<BTreeMap<u64, &'static str>>,
}

impl Work {
    fn take(&self) -> u64 {
        let lost = self.lost.lock().expect("no panic").pop();
        lost.unwrap_or_else(|| self.next.fetch_add(1, Ordering::Relaxed))
    }

    fn lose(&self, number: u64) {
        self.lost.lock().expect("no panic").push(number);
    }
}

fn request(number: u64) -> Vec<u8> {
    let spans = (1..=SPANS).map(|id| Span {
        trace_id: [[7; 8], (number + 1).to_be_bytes()].concat(),
        span_id: id.to_be_bytes().to_vec(),
        name: number.to_string(),
        ..Span::default()
    });
    let request = ExportTraceServiceRequest {
        resource_spans: vec![ResourceSpans {
            scope_spans: vec![ScopeSpans {
                spans: spans.collect(),
                ..ScopeSpans::default()
            }],
            ..ResourceSpans::default()
        }],
    };
    request.encode_to_vec()
}

/// The sending half of a connection.
enum Connection {
    Grpc(http2::SendRequest<Full<Bytes>>),
    Http(http1::SendRequest<Full<Bytes>>),
}

impl Connection {
    async fn open(address: SocketAddr, is_grpc: bool) -> Option<Self> {
        let stream = TokioIo::new(TcpStream::connect(address).await.ok()?);
        Some(match is_grpc {
            true => {
                let handshake = http2::handshake(TokioExecutor::new(), stream).await;
                let (sender, connection) = handshake.ok()?;
                tokio::spawn(connection);
                Self::Grpc(sender)
            }
            false => {
                let (sender, connection) = http1::handshake(stream).await.ok()?;
                tokio::spawn(connection);
                Self::Http(sender)
            }
        })
    }

    /// Sends a request; `None` if the sink is gone before its answer is whole.
    async fn send(&mut self, address: SocketAddr, body: &[u8]) -> Option<()> {
        let response = match self {
            Self::Grpc(sender) => {
                let request = Request::post(format!("http://{address}{EXPORT}"))
                    .header("content-type", "application/grpc")
                    .header("te", "trailers")
                    .body(Full::new(framed(0, body).into()));
                sender.ready().await.ok()?;
                sender.send_request(request.expect("a request")).await
            }
            Self::Http(sender) => {
                let request = Request::post(TRACES)
                    .header("host", "sink")
                    .header(PROTOBUF.0, PROTOBUF.1)
                    .body(Full::new(Bytes::copy_from_slice(body)));
                sender.ready().await.ok()?;
                sender.send_request(request.expect("a request")).await
            }
        };
        let (parts, body) = response.ok()?.into_parts();
        let body = body.collect().await.ok()?;
        assert_eq!(parts.status, 200);
        if let Self::Grpc(_) = self {
            assert_eq!(body.trailers()?.get("grpc-status")?, "0");
        }
        Some(())
    }
}

/// Sends requests until the sink is gone, every third of them twice, as after an answer that was lost.
async fn send_until_gone(work: Arc<Work>, address: SocketAddr, is_grpc: bool) {
    let Some(mut connection) = Connection::open(address, is_grpc).await else {
        return;
    };
    loop {
        let number = work.take();
        let body = request(number);
        for _ in 0..=u64::from(number.is_multiple_of(3)) {
            if connection.send(address, &body).await.is_none() {
                return work.lose(number);
            }
        }
        let transport = if is_grpc { "gRPC" } else { "HTTP" };
        work.acknowledged.send_modify(|all| {
            all.insert(number, transport);
        });
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn what_was_acknowledged_before_each_of_twenty_kills_is_there_once() {
    let folder = TempDir::new().expect("a folder");
    let file = folder.path().join("spans.db");
    let arguments = [
        "--data",
        file.to_str().expect("text"),
        "--max-spans",
        "10000000",
        "--max-bytes",
        "8GiB",
    ];
    let work = Arc::new(Work::default());
    for round in 0..KILLS {
        let program = Program::start(&arguments);
        let mut senders = JoinSet::new();
        for (name, is_grpc) in [("grpc", true), ("http", false)].repeat(2) {
            let address = program.address(name);
            senders.spawn(send_until_gone(Arc::clone(&work), address, is_grpc));
        }
        // After another number of answers each time, so that each part of a commit is met.
        let mut answers = work.acknowledged.subscribe();
        let enough = answers.borrow().len() + 5 + 3 * round;
        let waited = timeout(LIMIT, answers.wait_for(|all| all.len() >= enough)).await;
        assert!(waited.is_ok(), "round {round} takes too long");
        program.kill();
        while let Some(ended) = senders.join_next().await {
            ended.expect("no sender panics");
        }
    }
    let acknowledged = work.acknowledged.borrow().clone();
    let transports: BTreeSet<_> = acknowledged.values().collect();
    assert_eq!(transports.len(), 2, "{transports:?}");

    let program = Program::start(&arguments);
    let found = spans(program.address("http")).await;
    for (number, transport) in &acknowledged {
        for id in 1..=SPANS {
            let count = found.get(&(*number, id));
            assert_eq!(
                count,
                Some(&1),
                "request {number} over {transport}, span {id}"
            );
        }
    }
    for (span, count) in &found {
        assert_eq!(*count, 1, "{span:?}");
        assert!(span.0 < work.next.load(Ordering::Relaxed), "{span:?}");
    }
}

/// Returns how often the export has each span, by the number of its request and its own.
async fn spans(address: SocketAddr) -> BTreeMap<(u64, u64), u64> {
    let path = "/api/sidespan/v1/export";
    let answer = send(address, Method::GET, path, &[], "").await;
    let text = answer.expect("an answer").text();
    let lines = text.lines().map(serde_json::from_str::<Value>);
    let mut found = BTreeMap::new();
    let list = |value: &Value| value.as_array().expect("a list").clone();
    for line in lines {
        for resource in list(&line.expect("JSON")["resourceSpans"]) {
            for scope in list(&resource["scopeSpans"]) {
                for span in list(&scope["spans"]) {
                    let number = |key: &str, from: usize| {
                        let digits = span[key].as_str().expect("an id");
                        u64::from_str_radix(&digits[from..], 16).expect("an id")
                    };
                    let key = (number("traceId", 16) - 1, number("spanId", 0));
                    *found.entry(key).or_default() += 1;
                }
            }
        }
    }
    found
}
