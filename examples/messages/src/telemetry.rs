//! The tracing of one service: the clock, the randomness and the export that the library leaves to its user.

use std::time::{SystemTime, UNIX_EPOCH};

use anyhow::{Context, bail};
use http_body_util::{BodyExt, Full};
use hyper::Request;
use hyper::body::Bytes;
use hyper::client::conn::http1::handshake;
use hyper_util::rt::TokioIo;
use sidespan_core::id_generator::Random;
use sidespan_core::messaging::{MessageSpan, MessageTracer, Propagator, SpanBatch};
use sidespan_core::propagation::format::Format;
use sidespan_core::sampling::threshold::Threshold;
use sidespan_core::time::Nanos;
use tokio::net::TcpStream;

/// The headers of a message or a request.
pub type Headers = Vec<(String, Vec<u8>)>;

/// The tracing of one service.
#[derive(Debug)]
pub struct Telemetry {
    pub tracer: MessageTracer<SystemRandom>,
    pub ended: SpanBatch,
    // The request that was not accepted, which goes out before any other.
    unsent: Option<Bytes>,
    collector: String,
}

/// The randomness of the operating system.
#[derive(Debug)]
pub struct SystemRandom;

impl Random for SystemRandom {
    fn fill(&mut self, bytes: &mut [u8]) -> bool {
        getrandom::fill(bytes).is_ok()
    }
}

impl Telemetry {
    /// Returns the tracing of a service that writes these formats, and exports to the OTLP/HTTP address `collector`. It records
    /// every trace that it begins.
    pub fn new(service: &str, formats: &[Format], collector: &str) -> Self {
        let propagator = Propagator::new(formats);
        Self {
            tracer: MessageTracer::new(propagator, Threshold::ALL, SystemRandom),
            ended: SpanBatch::new(service, &[]),
            unsent: None,
            collector: collector.into(),
        }
    }

    /// Returns the headers of what is sent in the course of a span.
    pub fn headers(&self, span: Option<&MessageSpan>) -> Headers {
        let mut headers = Headers::new();
        if let Some(span) = span {
            // A list has room for every header, so that none is left out.
            self.tracer.inject(span, &mut headers);
        }
        headers
    }

    /// Ends a span.
    pub fn end(&mut self, span: Option<MessageSpan>) {
        if let Some(span) = span {
            self.ended.end(span, now());
        }
    }

    /// Exports the spans that have ended, or those of a call that failed. A service would do so every second, and look at
    /// `ended.dropped()`.
    ///
    /// # Errors
    /// Where the collector cannot be reached or does not accept the spans.
    pub async fn export(&mut self) -> anyhow::Result<()> {
        let waiting = self.ended.take_request().map(Bytes::from);
        let Some(body) = self.unsent.take().or(waiting) else {
            return Ok(());
        };
        let sent = self.send(body.clone()).await;
        if sent.is_err() {
            self.unsent = Some(body);
        }
        sent
    }

    async fn send(&self, body: Bytes) -> anyhow::Result<()> {
        let collector = &self.collector;
        let failed = || format!("exporting spans to {collector}");
        let stream = TcpStream::connect(collector).await.with_context(failed)?;
        let (mut sender, connection) = handshake(TokioIo::new(stream)).await?;
        let connection = tokio::spawn(connection);
        let request = Request::post("/v1/traces")
            .header("host", collector)
            .header("content-type", "application/x-protobuf")
            // Tells a sidecar on the way that the export itself is not to be traced.
            .header("b3", "0")
            .body(Full::new(body))?;
        let response = sender.send_request(request).await.with_context(failed)?;
        let status = response.status();
        let answer = response.into_body().collect().await?.to_bytes();
        connection.abort();
        if !status.is_success() {
            bail!(
                "{collector}: {status}: {}",
                String::from_utf8_lossy(&answer)
            );
        }
        Ok(())
    }
}

/// Returns the time now.
pub fn now() -> Nanos {
    let since = SystemTime::now().duration_since(UNIX_EPOCH);
    let nanos = since.map_or(0, |since| since.as_nanos());
    Nanos(u64::try_from(nanos).unwrap_or(u64::MAX))
}
