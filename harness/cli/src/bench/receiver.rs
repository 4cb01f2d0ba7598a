//! The receiver of one candidate's spans: outside the measured process, and counting, so that no lost span goes unseen.
//! Nothing is kept longer than it takes to count it.

use std::net::{Ipv4Addr, SocketAddr};
use std::time::{Duration, Instant};

use sidespan_sink::{Limits, Sink, SinkConfig};

/// A receiver that counts spans.
#[derive(Debug)]
pub(super) struct Receiver {
    sink: Sink,
    is_zipkin: bool,
}

impl Receiver {
    /// Listens on a free port for OTLP over gRPC.
    pub(super) async fn otlp() -> anyhow::Result<Self> {
        Self::start(false).await
    }

    /// Listens on a free port for Zipkin's JSON.
    pub(super) async fn zipkin() -> anyhow::Result<Self> {
        Self::start(true).await
    }

    async fn start(is_zipkin: bool) -> anyhow::Result<Self> {
        let limits = Limits {
            max_spans: 1_000,
            max_requests: 10,
            ..Limits::default()
        };
        let any = SocketAddr::from((Ipv4Addr::LOCALHOST, 0));
        let config = SinkConfig {
            limits,
            zipkin: is_zipkin.then_some(any),
            ..SinkConfig::default()
        };
        let sink = Sink::start(config).await?;
        Ok(Self { sink, is_zipkin })
    }

    pub(super) fn address(&self) -> SocketAddr {
        let zipkin = self.sink.zipkin_addr();
        zipkin.unwrap_or_else(|| self.sink.grpc_addr())
    }

    /// Returns the number of received spans.
    pub(super) fn received(&self) -> u64 {
        match self.is_zipkin {
            true => self.sink.received().zipkin_spans,
            false => self.sink.counts().accepted,
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
                r#"[{"traceId":"000000000000000a","id":"0000000000000001"},{"traceId":"000000000000000a","id":"0000000000000002","tags":{"a":"b"}}]"#,
                202,
            ),
            (
                "/api/v2/spans",
                r#"[{"traceId":"000000000000000a","id":"0000000000000001"}"#,
                400,
            ),
            (
                "/api/v1/spans",
                r#"[{"traceId":"000000000000000a","id":"0000000000000001"}]"#,
                404,
            ),
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
