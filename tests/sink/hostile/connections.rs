//! Connections: idle ones by the thousand, slow ones, and ones that speak something else.

use std::net::SocketAddr;

use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::TcpStream;

use super::{is_bounded, is_served};
use crate::sink::program::Program;

/// The connections of a test, within what this process may open.
const MANY: usize = 1_000;

async fn connect(address: SocketAddr) -> TcpStream {
    TcpStream::connect(address).await.expect("a listener")
}

#[tokio::test]
async fn a_thousand_idle_connections_keep_nobody_out() {
    rlimit::increase_nofile_limit(4 * 1_024).expect("enough open files");
    let sink = Program::start(&[]);
    let before = sink.peak_kib();
    let mut idle = Vec::new();
    for number in 0..MANY {
        let mut stream = connect(sink.address("grpc")).await;
        // Nothing, the beginning of HTTP/2, and the beginning of HTTP/1.
        let said = [
            &b""[..],
            b"PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n",
            b"POST /v1/tr",
        ][number % 3];
        stream.write_all(said).await.expect("it takes bytes");
        idle.push(stream);
    }
    is_served(&sink).await;
    is_bounded(&sink);
    if let (Some(before), Some(after)) = (before, sink.peak_kib()) {
        // At most 64 KiB for a connection that has said nothing yet.
        assert!(
            after - before < 64 * 1_024,
            "{before} KiB, then {after} KiB"
        );
    }
    drop(idle);
    is_served(&sink).await;
}

#[tokio::test]
async fn slow_senders_keep_nobody_waiting() {
    let sink = Program::start(&[]);
    let mut slow = Vec::new();
    for number in 0..200 {
        let mut stream = connect(sink.address("http")).await;
        let head = "POST /v1/traces HTTP/1.1\r\nhost: sink\r\ncontent-type: application/json\r\n";
        let rest = match number % 2 {
            0 => "",
            _ => "content-length: 67108864\r\n\r\n{",
        };
        let said = format!("{head}{rest}");
        stream
            .write_all(said.as_bytes())
            .await
            .expect("it takes bytes");
        slow.push(stream);
    }
    is_served(&sink).await;
    is_bounded(&sink);
}

#[tokio::test]
async fn other_protocols_are_not_answered_with_a_riddle() {
    let sink = Program::start(&[]);
    for said in [
        &b"\x16\x03\x01\x00\xa5\x01\x00\x00\xa1\x03\x03"[..],
        b"SSH-2.0-OpenSSH_9.2\r\n\r\n",
        b"\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0\n\n",
        b"GET / HTTP/1.1\r\nhost: a\r\nx: \xff\xfe\x1b[31m\r\n\r\n",
        b"POST /v1/traces HTTP/1.1\r\nhost: a\r\ncontent-length: -1\r\n\r\n",
        b"POST /v1/traces HTTP/1.1\r\nhost: a\r\ncontent-length: 1\r\ntransfer-encoding: chunked\r\n\r\nz\r\n",
    ] {
        let mut stream = connect(sink.address("http")).await;
        stream.write_all(said).await.expect("it takes bytes");
        stream.shutdown().await.expect("an open connection");
        let mut answer = Vec::new();
        // A reset is an answer, too.
        let _ = stream.read_to_end(&mut answer).await;
        let answer = String::from_utf8_lossy(&answer).into_owned();
        let is_clear = answer.is_empty() || answer.starts_with("HTTP/1.1 4");
        assert!(is_clear, "{said:?}: {answer:?}");
    }
    is_served(&sink).await;
}
