//! One request over HTTP/1.1.

use anyhow::Context;
use http_body_util::BodyExt;
use hyper::body::Incoming;
use hyper::client::conn::http1::{SendRequest, handshake};
use hyper::http::{Request, Response};
use hyper_util::rt::TokioIo;
use tokio::net::TcpStream;
use tokio::sync::watch;

use crate::run::on_envoy::http1::{self, Pieces};
use crate::run::on_envoy::http2;
use crate::run::on_envoy::sent::{Received, Sent, arrival, breaks};
use crate::run::passed::Message;

/// Sends a request and receives its response, as far as it comes.
///
/// # Errors
/// When the request cannot be sent by HTTP/1.1.
pub(super) async fn exchange(
    socket: TcpStream,
    sent: Sent<'_>,
    arrivals: watch::Receiver<Vec<usize>>,
) -> anyhow::Result<Received> {
    let request = http1::request(&sent.headers, Pieces::new(&sent.chunks, false))?;
    let (mut sender, connection) = handshake(TokioIo::new(socket))
        .await
        .context("the connection does not speak HTTP/1.1")?;
    let task = tokio::spawn(connection);
    let mut received = Received::default();
    if sent.is_abandoned {
        let response = tokio::spawn(async move { sender.send_request(request).await });
        arrival(arrivals, sent.at).await;
        response.abort();
    } else {
        received.is_reset = breaks(receive(&mut sender, request, &mut received.message)).await;
    }
    // A client of HTTP/1.1 that has what it wants, or gives up, goes away with its connection.
    task.abort();
    Ok(received)
}

async fn receive(
    sender: &mut SendRequest<Pieces>,
    request: Request<Pieces>,
    received: &mut Option<Message>,
) -> hyper::Result<()> {
    let response: Response<Incoming> = sender.send_request(request).await?;
    let (parts, mut body) = response.into_parts();
    let message = received.insert(Message {
        headers: http2::of_response(&parts),
        ..Message::default()
    });
    while let Some(frame) = body.frame().await {
        if let Ok(data) = frame?.into_data() {
            message.body.extend_from_slice(&data);
        }
    }
    Ok(())
}
