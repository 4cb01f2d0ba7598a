//! One request over HTTP/2.

use anyhow::Context;
use h2::RecvStream;
use hyper::body::Bytes;
use tokio::net::TcpStream;
use tokio::sync::watch;
use tokio::time::{sleep, timeout};

use crate::run::on_envoy::http2;
use crate::run::on_envoy::sent::{PATIENCE, Received, Sent, arrival, breaks};
use crate::run::passed::Message;

/// Sends a request and receives its response, as far as it comes.
///
/// # Errors
/// When the request cannot be sent by HTTP/2.
pub(super) async fn exchange(
    socket: TcpStream,
    sent: Sent<'_>,
    arrivals: watch::Receiver<Vec<usize>>,
) -> anyhow::Result<Received> {
    let (sender, connection) = h2::client::handshake(socket).await?;
    let task = tokio::spawn(connection);
    let mut sender = sender.ready().await?;
    let request = http2::request(&sent.headers)?;
    let has_trailers = !sent.trailers.is_empty();
    let is_end = sent.chunks.is_empty() && !has_trailers;
    let trailers = http2::map(&sent.trailers)?;
    let (response, mut stream) = sender
        .send_request(request, is_end)
        .context("the request cannot be sent")?;
    let mut received = Received::default();
    // The response may come while the request is still being sent.
    let response = tokio::spawn(async move {
        let mut received = Received::default();
        received.is_reset = breaks(receive(response, &mut received.message)).await;
        received
    });
    for (at, chunk) in sent.chunks.iter().enumerate() {
        sleep(chunk.after).await;
        let is_end = at + 1 == sent.chunks.len() && !has_trailers;
        // A stream that Envoy has reset shows in the response.
        if stream
            .send_data(Bytes::from(chunk.bytes.clone()), is_end)
            .is_err()
        {
            break;
        }
    }
    if has_trailers {
        let _ = stream.send_trailers(trailers);
    }
    if sent.is_abandoned {
        arrival(arrivals, sent.at).await;
        // The whole connection goes, as of a client that has ended.
        response.abort();
        task.abort();
        return Ok(received);
    } else {
        received = response.await.unwrap_or_default();
        if received.message.is_none() && !received.is_reset {
            // A client that gives up goes away with its connection.
            task.abort();
            return Ok(received);
        }
    }
    drop(stream);
    drop(sender);
    // The connection ends by itself once its frames are sent.
    let _ = timeout(PATIENCE, task).await;
    Ok(received)
}

async fn receive(
    response: h2::client::ResponseFuture,
    received: &mut Option<Message>,
) -> Result<(), h2::Error> {
    let (parts, mut body) = response.await?.into_parts();
    let message = received.insert(Message {
        headers: http2::of_response(&parts),
        ..Message::default()
    });
    take_body(&mut body, message).await
}

/// Takes a body to its end, and its trailers.
///
/// # Errors
/// When the stream is reset.
async fn take_body(body: &mut RecvStream, message: &mut Message) -> Result<(), h2::Error> {
    while let Some(data) = body.data().await {
        let data = data?;
        body.flow_control().release_capacity(data.len())?;
        message.body.extend_from_slice(&data);
    }
    if let Some(trailers) = body.trailers().await? {
        message.trailers = http2::fields(&trailers);
    }
    Ok(())
}
