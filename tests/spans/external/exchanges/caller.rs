//! The caller's side of an exchange: its request, its protocol and its behaviour.

use std::io::{self, Read, Write};
use std::net::{Shutdown, SocketAddr, TcpStream};
use std::time::Duration;

use http_body_util::BodyExt;
use hyper::Request;
use hyper::client::conn::http2;
use hyper_util::rt::{TokioExecutor, TokioIo};
use sidespan_tests::caller::Caller;
use tokio::io::AsyncReadExt;
use tokio::task::JoinHandle;

use super::scene::Scene;
use super::upstream::{HOST, Note, Step, Steps};

/// A caller's request and behaviour.
#[derive(Clone, Debug)]
pub(super) struct Call {
    pub(super) protocol: Protocol,
    pub(super) method: &'static str,
    pub(super) path: &'static str,
    headers: Vec<(&'static str, &'static str)>,
    /// HTTP/2's body; with HTTP/1.1 it is part of the behaviour.
    body: Vec<Step>,
    manner: Manner,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Protocol {
    Http1,
    Http2,
    Grpc,
}

/// The behaviour of a caller once its request is on the way.
#[derive(Clone, Debug)]
enum Manner {
    /// Reading the response to its end.
    Patient,
    /// Closing the connection when the upstream has the request.
    LeavesBefore,
    /// Closing the connection when the caller has the response's headers.
    LeavesWithin,
    /// Sending each second text when the first has been read, and closing the connection at the end.
    Talks(Vec<(&'static str, &'static str)>),
}

/// The result of an exchange. The connection stays open until the spans have arrived, because the proxy would notice its
/// end.
pub(super) struct Answer {
    /// The status of the response, if there was one.
    pub(super) status: Option<u16>,
    /// The caller's own port.
    pub(super) port: u16,
    _connection: Option<JoinHandle<hyper::Result<()>>>,
}

/// Makes a `GET` by HTTP/1.1.
pub(super) fn get(path: &'static str) -> Call {
    http1("GET", path)
}

pub(super) fn http1(method: &'static str, path: &'static str) -> Call {
    Call {
        protocol: Protocol::Http1,
        method,
        path,
        headers: Vec::new(),
        body: Vec::new(),
        manner: Manner::Patient,
    }
}

pub(super) fn http2(method: &'static str, path: &'static str) -> Call {
    Call {
        protocol: Protocol::Http2,
        ..http1(method, path)
    }
}

/// Makes a call of a gRPC method with one message.
pub(super) fn grpc(path: &'static str) -> Call {
    let call = Call {
        protocol: Protocol::Grpc,
        ..http1("POST", path)
    };
    call.header("content-type", "application/grpc")
        .header("te", "trailers")
        .body(&[Step::Data(b"\0\0\0\0\0")])
}

impl Call {
    pub(super) fn header(mut self, name: &'static str, value: &'static str) -> Self {
        self.headers.push((name, value));
        self
    }

    pub(super) fn body(mut self, steps: &[Step]) -> Self {
        self.body = steps.into();
        self
    }

    pub(super) fn leaves_before_the_answer(mut self) -> Self {
        self.manner = Manner::LeavesBefore;
        self
    }

    pub(super) fn leaves_within_the_answer(mut self) -> Self {
        self.manner = Manner::LeavesWithin;
        self
    }

    pub(super) fn talks(mut self, turns: &[(&'static str, &'static str)]) -> Self {
        self.manner = Manner::Talks(turns.into());
        self
    }

    /// Returns true if the caller waits for a response.
    pub(super) fn is_heard(&self) -> bool {
        !matches!(self.manner, Manner::LeavesBefore)
    }

    pub(super) fn run(&self, scene: &Scene, address: SocketAddr, caller: &Caller) -> Answer {
        if self.protocol == Protocol::Http1 {
            return self.by_http1(scene, address, caller).expect("a listener");
        }
        scene
            .runtime
            .block_on(self.by_http2(scene, address, caller))
    }

    fn by_http1(&self, scene: &Scene, address: SocketAddr, caller: &Caller) -> io::Result<Answer> {
        let mut stream = TcpStream::connect(address)?;
        stream.set_nodelay(true)?;
        // A limit above the time of any response.
        stream.set_read_timeout(Some(Duration::from_secs(20)))?;
        let port = stream.local_addr()?.port();
        let mut head = format!("{} {} HTTP/1.1\r\n", self.method, self.path);
        let traceparent = caller.traceparent();
        // `connection: close`, so that the end of the connection ends every response, whatever its length header says.
        let own = [
            ("traceparent", traceparent.as_str()),
            ("connection", "close"),
        ];
        let has = |name| self.headers.iter().any(|(other, _)| *other == name);
        if !has("host") {
            head.push_str(&format!("host: {HOST}\r\n"));
        }
        let own = own.into_iter().filter(|(name, _)| !has(name));
        for (name, value) in own.chain(self.headers.iter().copied()) {
            head.push_str(&format!("{name}: {value}\r\n"));
        }
        head.push_str("\r\n");
        stream.write_all(head.as_bytes())?;
        let mut read = Vec::new();
        match &self.manner {
            Manner::LeavesBefore => {
                let arrived = scene
                    .board
                    .clone()
                    .until(Note::Arrived, caller.trace_id.clone());
                scene.runtime.block_on(arrived);
            }
            Manner::LeavesWithin => until(&mut stream, &mut read, "\r\n\r\n"),
            Manner::Talks(turns) => {
                for (before, said) in turns {
                    until(&mut stream, &mut read, before);
                    stream.write_all(said.as_bytes())?;
                }
            }
            Manner::Patient => {
                until(&mut stream, &mut read, "\r\n\r\n");
                scene.board.tell(Note::Heard, &caller.trace_id);
                // The response may break off.
                let _ = stream.read_to_end(&mut read);
            }
        }
        // The other end may have closed the connection.
        let _ = stream.shutdown(Shutdown::Both);
        let text = String::from_utf8_lossy(&read);
        let text = text
            .strip_prefix("HTTP/1.1 100 Continue\r\n\r\n")
            .unwrap_or(&text);
        let status = text.split(' ').nth(1).and_then(|code| code.parse().ok());
        Ok(Answer {
            status,
            port,
            _connection: None,
        })
    }

    async fn by_http2(&self, scene: &Scene, address: SocketAddr, caller: &Caller) -> Answer {
        let stream = tokio::net::TcpStream::connect(address)
            .await
            .expect("a listener");
        let port = stream.local_addr().expect("a connected socket").port();
        let (mut sender, connection) = http2::handshake(TokioExecutor::new(), TokioIo::new(stream))
            .await
            .expect("HTTP/2");
        let connection = tokio::spawn(connection);
        let mut request = Request::builder()
            .method(self.method)
            .uri(format!("http://{HOST}{}", self.path))
            .header("traceparent", caller.traceparent());
        for (name, value) in &self.headers {
            request = request.header(*name, *value);
        }
        // RFC 8441: the counterpart of HTTP/1.1's `upgrade`.
        if self.method == "CONNECT" {
            request = request.extension(hyper::ext::Protocol::from_static("websocket"));
        }
        let body = Steps::new(&self.body, &scene.board, &caller.trace_id);
        // Hyper sends the request at once; dropping the future of the response resets the stream.
        let answer = sender.send_request(request.body(body).expect("a request"));
        let status = if self.is_heard() {
            let response = answer.await.ok();
            let status = response.as_ref().map(|response| response.status().as_u16());
            scene.board.tell(Note::Heard, &caller.trace_id);
            if let (Some(response), Manner::Patient) = (response, &self.manner) {
                // Either may break off.
                if self.method == "CONNECT" {
                    let tunnel = hyper::upgrade::on(response).await.expect("a tunnel");
                    let _ = TokioIo::new(tunnel).read_to_end(&mut Vec::new()).await;
                } else {
                    let _ = response.into_body().collect().await;
                }
            }
            status
        } else {
            let board = scene.board.clone();
            board.until(Note::Arrived, caller.trace_id.clone()).await;
            drop(answer);
            None
        };
        Answer {
            status,
            port,
            _connection: Some(connection),
        }
    }
}

/// Reads until this text has come, or the end.
fn until(stream: &mut TcpStream, read: &mut Vec<u8>, wanted: &str) {
    let from = read.len();
    let mut buffer = [0; 4096];
    let is_there = |read: &[u8]| {
        wanted.is_empty()
            || read[from..]
                .windows(wanted.len())
                .any(|part| part == wanted.as_bytes())
    };
    while !is_there(read) {
        match stream.read(&mut buffer) {
            Ok(count @ 1..) => read.extend_from_slice(&buffer[..count]),
            _ => return,
        }
    }
}
