//! A connection of HTTP/1.1 between Envoy and a server.

use std::io;
use std::sync::Arc;

use http_body_util::BodyExt;
use hyper::body::Incoming;
use hyper::http::{Request, Response};
use hyper::server::conn::http1::Builder;
use hyper::service::service_fn;
use hyper_util::rt::TokioIo;
use tokio::net::TcpStream;
use tokio::time::sleep;

use super::script::Act;
use super::shared::Shared;
use crate::run::on_envoy::http1::{self, Pieces};
use crate::run::on_envoy::http2;

/// Serves one connection.
pub(super) async fn serve(socket: TcpStream, shared: Arc<Shared>) {
    let service = service_fn(|request| answer(request, Arc::clone(&shared)));
    // An error is a reset, or Envoy's end of the connection.
    let _ = Builder::new()
        .auto_date_header(false)
        .serve_connection(TokioIo::new(socket), service)
        .await;
}

async fn answer(
    request: Request<Incoming>,
    shared: Arc<Shared>,
) -> anyhow::Result<Response<Pieces>> {
    let (parts, mut body) = request.into_parts();
    let (order, script) = shared.begin(http1::of_request(&parts));
    while let Some(frame) = body.frame().await {
        if let Ok(data) = frame?.into_data() {
            shared.with(order, |arrival| {
                arrival.message.body.extend_from_slice(&data);
            });
        }
    }
    shared.with(order, |arrival| arrival.is_complete = true);
    sleep(script.after).await;
    match script.act {
        // hyper closes a connection whose service fails.
        Act::Reset => Err(io::Error::from(io::ErrorKind::ConnectionReset).into()),
        Act::Silence => std::future::pending().await,
        Act::Respond {
            headers,
            chunks,
            breaks_off,
            ..
        } => {
            let pieces = Pieces::new(&chunks.iter().collect::<Vec<_>>(), breaks_off);
            let (mut parts, ()) = http2::response(&headers)?.into_parts();
            parts.version = hyper::Version::HTTP_11;
            Ok(Response::from_parts(parts, pieces))
        }
    }
}
