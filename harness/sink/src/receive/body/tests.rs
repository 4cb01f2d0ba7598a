//! Slow senders, in virtual time: the clock jumps to the next deadline whenever nothing moves.

use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::TcpStream;
use tokio::time::Instant;

use super::*;
use crate::{Sink, SinkConfig};

async fn said(sink: &Sink, head: &str) -> String {
    let mut stream = TcpStream::connect(sink.http_addr()).await.unwrap();
    stream.write_all(head.as_bytes()).await.unwrap();
    let mut answer = Vec::new();
    // A reset ends the connection as well.
    let _ = stream.read_to_end(&mut answer).await;
    String::from_utf8(answer).unwrap()
}

#[tokio::test(start_paused = true)]
async fn a_body_that_stops_is_given_up() {
    let sink = Sink::start(SinkConfig::default()).await.unwrap();
    let begun = Instant::now();
    let answer = said(
        &sink,
        "POST /v1/traces HTTP/1.1\r\nhost: a\r\ncontent-type: application/json\r\ncontent-length: 9\r\n\r\n{",
    );
    let answer = answer.await;
    assert!(
        answer.starts_with("HTTP/1.1 408 Request Timeout\r\n"),
        "{answer:?}"
    );
    assert!(
        answer.contains("the body did not arrive in time"),
        "{answer:?}"
    );
    assert!(begun.elapsed() >= PATIENCE);
    assert_eq!(sink.received().slow, 1);
}

#[tokio::test(start_paused = true)]
async fn a_connection_that_does_not_speak_or_stops_in_a_head_is_closed() {
    let sink = Sink::start(SinkConfig::default()).await.unwrap();
    for head in ["", "POST /v1/traces HTTP/1.1\r\nhost: a\r\n"] {
        let answer = said(&sink, head).await;
        assert!(
            answer.is_empty() || answer.starts_with("HTTP/1.1 408"),
            "{answer:?}"
        );
    }
}
