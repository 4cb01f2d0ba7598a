//! An HTTP/2 caller that sends any header, and resets a request, which HTTP/1.1 cannot do without closing its connection.

use std::net::SocketAddr;
use std::pin::Pin;

use http_body_util::{BodyExt, Empty};
use hyper::body::{Bytes, Incoming};
use hyper::client::conn::http2::{self, SendRequest};
use hyper::{Request, Response};
use hyper_util::rt::{TokioExecutor, TokioIo};
use tokio::net::TcpStream;
use tokio::task::JoinHandle;

use crate::collector::runtime;

/// An HTTP/2 connection.
pub struct Connection {
    sender: SendRequest<Empty<Bytes>>,
    task: JoinHandle<hyper::Result<()>>,
}

impl Connection {
    /// Opens a connection, by HTTP/2 with prior knowledge.
    ///
    /// # Panics
    /// When nothing listens at the address.
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

    /// Sends a `GET` and does not wait for the response.
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

    /// Sends a request and waits for the whole response; returns its status, or `None` where there is no response.
    pub fn exchange(&mut self, request: Request<Empty<Bytes>>) -> Option<u16> {
        runtime().block_on(async {
            self.sender.ready().await.ok()?;
            let response = self.sender.send_request(request).await.ok()?;
            let status = response.status().as_u16();
            response.into_body().collect().await.ok()?;
            Some(status)
        })
    }

    /// Closes the connection, which must still be open.
    ///
    /// # Panics
    /// When the connection is closed already.
    pub fn close(self) {
        assert!(!self.task.is_finished(), "the connection outlives a stream");
        self.task.abort();
    }
}

/// A request under way.
pub struct Stream(Pin<Box<dyn Future<Output = Answer> + Send>>);

type Answer = hyper::Result<Response<Incoming>>;

impl Stream {
    /// Resets the stream.
    pub fn reset(self) {
        // Hyper sends RST_STREAM when the future of the response is dropped.
        drop(self.0);
    }

    /// Waits for the response's headers, resets the stream before its body, and returns the status.
    ///
    /// # Panics
    /// When there is no response.
    pub fn reset_within_the_answer(self) -> u16 {
        let response = runtime().block_on(self.0).expect("an answer");
        response.status().as_u16()
    }
}
