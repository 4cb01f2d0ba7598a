//! The receiver of one candidate's spans: outside the measured process, and counting, so that no lost span goes unseen.
//! Nothing is kept longer than it takes to count it.

use std::net::{Ipv4Addr, SocketAddr};
use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};
use std::time::{Duration, Instant};

use anyhow::Context;
use http::{Method, Request, Response, StatusCode};
use http_body_util::{BodyExt, Empty};
use hyper::body::{Bytes, Incoming};
use hyper::server::conn::http1;
use hyper::service::service_fn;
use hyper_util::rt::TokioIo;
use serde::de::IgnoredAny;
use sidespan_sink::{Limits, Sink, SinkConfig};
use tokio::net::TcpListener;
use tokio::task::JoinHandle;

/// A receiver that counts spans.
#[derive(Debug)]
pub(super) enum Receiver {
    /// OTLP over gRPC.
    Otlp(Box<Sink>),
    /// Zipkin's `POST /api/v2/spans`.
    Zipkin(Zipkin),
}

impl Receiver {
    /// Listens on a free port for OTLP over gRPC.
    pub(super) async fn otlp() -> anyhow::Result<Self> {
        let limits = Limits {
            max_spans: 1_000,
            max_requests: 10,
            ..Limits::default()
        };
        let config = SinkConfig {
            limits,
            ..SinkConfig::default()
        };
        let sink = Sink::start(config).await?;
        Ok(Self::Otlp(Box::new(sink)))
    }

    /// Listens on a free port for Zipkin's JSON.
    pub(super) async fn zipkin() -> anyhow::Result<Self> {
        Ok(Self::Zipkin(Zipkin::start().await?))
    }

    pub(super) fn address(&self) -> SocketAddr {
        match self {
            Self::Otlp(sink) => sink.grpc_addr(),
            Self::Zipkin(zipkin) => zipkin.address,
        }
    }

    /// Returns the number of received spans.
    pub(super) fn received(&self) -> u64 {
        match self {
            Self::Otlp(sink) => sink.counts().accepted,
            Self::Zipkin(zipkin) => zipkin.spans.load(Ordering::Relaxed),
        }
    }

    /// Waits until `spans` spans have come, at most for `limit`; the caller then compares [`Receiver::received`].
    pub(super) async fn wait_for(&self, spans: u64, limit: Duration) {
        let deadline = Instant::now() + limit;
        while self.received() < spans && Instant::now() < deadline {
            tokio::time::sleep(LOOK).await;
        }
    }

    /// Waits until no span has come for `pause`.
    pub(super) async fn wait_for_silence(&self, pause: Duration) {
        let (mut seen, mut since) = (self.received(), Instant::now());
        while since.elapsed() < pause {
            tokio::time::sleep(LOOK).await;
            let now = self.received();
            if now != seen {
                (seen, since) = (now, Instant::now());
            }
        }
    }
}

/// A collector that speaks Zipkin's JSON and keeps nothing.
#[derive(Debug)]
pub(super) struct Zipkin {
    address: SocketAddr,
    spans: Arc<AtomicU64>,
    server: JoinHandle<()>,
}

impl Zipkin {
    async fn start() -> anyhow::Result<Self> {
        let listener = TcpListener::bind((Ipv4Addr::LOCALHOST, 0))
            .await
            .context("no port for Zipkin's spans")?;
        let address = listener.local_addr()?;
        let spans = Arc::new(AtomicU64::new(0));
        let server = tokio::spawn(serve(listener, Arc::clone(&spans)));
        Ok(Self {
            address,
            spans,
            server,
        })
    }
}

impl Drop for Zipkin {
    fn drop(&mut self) {
        self.server.abort();
    }
}

async fn serve(listener: TcpListener, spans: Arc<AtomicU64>) {
    loop {
        let Ok((stream, _)) = listener.accept().await else {
            // An error such as too many open files passes, and retrying at once would not help.
            tokio::time::sleep(LOOK).await;
            continue;
        };
        let spans = Arc::clone(&spans);
        let service = service_fn(move |request| take(request, Arc::clone(&spans)));
        tokio::spawn(http1::Builder::new().serve_connection(TokioIo::new(stream), service));
    }
}

async fn take(
    request: Request<Incoming>,
    spans: Arc<AtomicU64>,
) -> Result<Response<Empty<Bytes>>, hyper::Error> {
    let is_ours = request.method() == Method::POST && request.uri().path() == "/api/v2/spans";
    let body = request.into_body().collect().await?.to_bytes();
    let status = match count(&body).filter(|_| is_ours) {
        Some(count) => {
            spans.fetch_add(count, Ordering::Relaxed);
            StatusCode::ACCEPTED
        }
        None => StatusCode::BAD_REQUEST,
    };
    let mut response = Response::new(Empty::new());
    *response.status_mut() = status;
    Ok(response)
}

/// Counts the elements of a JSON array.
fn count(body: &[u8]) -> Option<u64> {
    let spans: Vec<IgnoredAny> = serde_json::from_slice(body).ok()?;
    u64::try_from(spans.len()).ok()
}

/// Interval of looking at the count, which the measured process does not notice.
const LOOK: Duration = Duration::from_millis(5);

#[cfg(test)]
mod tests {
    use std::io::{Read, Write};
    use std::net::TcpStream;

    use super::*;

    #[tokio::test(flavor = "multi_thread")]
    async fn counts_the_spans_of_zipkins_requests_and_of_no_others() {
        let receiver = Receiver::zipkin().await.unwrap();
        let address = receiver.address();
        let post = move |path: &str, body: &str| {
            let mut stream = TcpStream::connect(address).unwrap();
            let length = body.len();
            write!(
                stream,
                "POST {path} HTTP/1.1\r\nhost: x\r\nconnection: close\r\ncontent-length: {length}\r\n\r\n{body}"
            )
            .unwrap();
            let mut answer = String::new();
            stream.read_to_string(&mut answer).unwrap();
            answer.lines().next().unwrap_or_default().to_owned()
        };
        for (path, body, status) in [
            (
                "/api/v2/spans",
                r#"[{"id":"1"},{"id":"2","tags":{"a":"b"}}]"#,
                202,
            ),
            ("/api/v2/spans", r#"[{"id":"1"}"#, 400),
            ("/api/v1/spans", r#"[{"id":"1"}]"#, 400),
        ] {
            let line = tokio::task::spawn_blocking(move || post(path, body))
                .await
                .unwrap();
            assert!(line.contains(&status.to_string()), "{path} {body}: {line}");
        }
        assert_eq!(receiver.received(), 2);
        receiver.wait_for(2, Duration::from_secs(60)).await;
        receiver.wait_for_silence(Duration::ZERO).await;
    }
}
