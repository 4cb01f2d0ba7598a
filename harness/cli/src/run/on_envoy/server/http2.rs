//! A connection of HTTP/2 between Envoy and a server.

use std::sync::Arc;
use std::time::Duration;

use h2::server::SendResponse;
use h2::{Reason, RecvStream};
use hyper::body::Bytes;
use hyper::http;
use tokio::net::TcpStream;
use tokio::time::sleep;

use super::script::Act;
use super::shared::Shared;
use crate::run::on_envoy::http2;

/// Serves one connection.
pub(super) async fn serve(socket: TcpStream, shared: Arc<Shared>) {
    let Ok(mut connection) = h2::server::handshake(socket).await else {
        return;
    };
    // An error is Envoy's end of the connection.
    while let Some(Ok((request, response))) = connection.accept().await {
        tokio::spawn(answer(request, response, Arc::clone(&shared)));
    }
}

async fn answer(
    request: http::Request<RecvStream>,
    mut response: SendResponse<Bytes>,
    shared: Arc<Shared>,
) {
    let (parts, mut body) = request.into_parts();
    let (order, script) = shared.begin(http2::of_request(&parts));
    let is_early = matches!(script.act, Act::Respond { is_early: true, .. });
    let receiving = Arc::clone(&shared);
    let receive = async move { receive(&mut body, &receiving, order).await };
    if is_early {
        tokio::spawn(receive);
    } else if receive.await.is_err() {
        return;
    }
    sleep(script.after).await;
    match script.act {
        Act::Reset => response.send_reset(Reason::INTERNAL_ERROR),
        Act::Silence => std::future::pending().await,
        act @ Act::Respond { .. } => {
            // A stream that Envoy has reset meanwhile needs no answer.
            let _ = respond(act, &mut response).await;
        }
    }
}

async fn receive(body: &mut RecvStream, shared: &Shared, order: u64) -> Result<(), h2::Error> {
    while let Some(data) = body.data().await {
        let data = data?;
        body.flow_control().release_capacity(data.len())?;
        shared.with(order, |arrival| {
            arrival.message.body.extend_from_slice(&data)
        });
    }
    if let Some(trailers) = body.trailers().await? {
        shared.with(order, |arrival| {
            arrival.message.trailers = http2::fields(&trailers)
        });
    }
    shared.with(order, |arrival| arrival.is_complete = true);
    Ok(())
}

async fn respond(act: Act, response: &mut SendResponse<Bytes>) -> anyhow::Result<()> {
    let Act::Respond {
        headers,
        chunks,
        trailers,
        breaks_off,
        ..
    } = act
    else {
        return Ok(());
    };
    let has_trailers = !trailers.is_empty();
    let is_end = chunks.is_empty() && !has_trailers && !breaks_off;
    let mut stream = response.send_response(http2::response(&headers)?, is_end)?;
    let count = chunks.len();
    for (chunk, number) in chunks.into_iter().zip(1..) {
        sleep(chunk.after).await;
        let is_end = number == count && !has_trailers && !breaks_off;
        stream.send_data(Bytes::from(chunk.bytes), is_end)?;
    }
    if breaks_off {
        // The frames before have to leave first.
        sleep(Duration::from_millis(30)).await;
        stream.send_reset(Reason::INTERNAL_ERROR);
    } else if has_trailers {
        stream.send_trailers(http2::map(&trailers)?)?;
    }
    Ok(())
}
