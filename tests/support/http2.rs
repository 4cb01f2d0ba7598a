//! A caller by HTTP/2 that takes a request back, which HTTP/1.1 cannot do without giving up its connection.

use std::net::SocketAddr;
use std::pin::Pin;

use http_body_util::Empty;
use hyper::body::{Bytes, Incoming};
use hyper::client::conn::http2::{self, SendRequest};
use hyper::{Request, Response};
use hyper_util::rt::{TokioExecutor, TokioIo};
use tokio::net::TcpStream;
use tokio::task::JoinHandle;

use crate::collector::runtime;

/// A connection.
pub struct Connection {
    sender: SendRequest<Empty<Bytes>>,
    task: JoinHandle<hyper::Result<()>>,
}

impl Connection {
    /// Connects, by HTTP/2 with prior knowledge.
    ///
    /// # Panics
    /// When nobody listens there.
    pub fn open(address: SocketAddr) -> Self {
        runtime().block_on(async {
            let stream = TcpStream::connect(address).await.expect("a listener");
            let (sender, connection) = http2::handshake(TokioExecutor::new(), TokioIo::new(stream))
                .await
                .expect("HTTP/2");
            let task = tokio::spawn(connection);
            Self { sender, task }
        })
    }

    /// Sends a `GET` and does not wait for the answer.
    ///
    /// # Panics
    /// When the connection has ended.
    pub fn request(&mut self, path: &str, traceparent: &str) -> Stream {
        let request = Request::get(format!("http://sidespan.test{path}"))
            .header("traceparent", traceparent)
            .body(Empty::new())
            .expect("a request");
        runtime()
            .block_on(self.sender.ready())
            .expect("an open connection");
        Stream(Box::pin(self.sender.send_request(request)))
    }

    /// Closes it, which must not have happened before.
    ///
    /// # Panics
    /// When it has.
    pub fn close(self) {
        assert!(!self.task.is_finished(), "the connection outlives a stream");
        self.task.abort();
    }
}

/// A request under way.
pub struct Stream(Pin<Box<dyn Future<Output = Answer> + Send>>);

type Answer = hyper::Result<Response<Incoming>>;

impl Stream {
    /// Resets it.
    pub fn reset(self) {
        // Hyper sends RST_STREAM when nobody waits for the answer any more.
        drop(self.0);
    }

    /// Waits for the head of the answer, resets the stream before its body, and returns the status.
    ///
    /// # Panics
    /// When there is no answer.
    pub fn reset_within_the_answer(self) -> u16 {
        let response = runtime().block_on(self.0).expect("an answer");
        response.status().as_u16()
    }
}
