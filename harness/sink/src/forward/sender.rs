//! The client of a destination, whichever its transport.

use std::time::Duration;

use http::HeaderValue;
use hyper::body::Bytes;
use tokio::time::timeout;

use super::answer::Answer;
use super::destination::{Destination, Protocol};
use super::grpc::GrpcSender;
use super::http::{HttpError, HttpSender};
use super::tls::{TrustError, client_tls};

/// A client of one destination.
#[derive(Clone, Debug)]
pub(super) struct Sender {
    client: Client,
    timeout: Duration,
}

#[derive(Clone, Debug)]
enum Client {
    Grpc(GrpcSender),
    Http(HttpSender),
}

/// The error of a destination that no client can be made for.
#[derive(Debug, thiserror::Error)]
pub(super) enum SenderError {
    #[error(transparent)]
    Trust(#[from] TrustError),
    #[error(transparent)]
    Grpc(#[from] tonic::transport::Error),
    #[error(transparent)]
    Http(#[from] HttpError),
}

impl Sender {
    pub(super) fn new(
        mut destination: Destination,
        timeout: Duration,
    ) -> Result<Self, SenderError> {
        // A mesh must not trace the export of traces.
        let untraced = HeaderValue::from_static("0");
        destination.headers.entry("b3").or_insert(untraced);
        let connect = timeout.min(CONNECT);
        let client = match destination.protocol {
            Protocol::Grpc => {
                if destination.is_tls {
                    // The same errors as over HTTP, because this client tells them only when it connects.
                    client_tls(destination.authorities.as_deref())?;
                }
                Client::Grpc(GrpcSender::new(&destination, connect)?)
            }
            Protocol::Http => Client::Http(HttpSender::new(&destination, connect)?),
        };
        Ok(Self { client, timeout })
    }

    /// Sends a message, and returns what the answer means.
    pub(super) async fn send(&self, body: Bytes) -> Answer {
        let sent = async {
            match &self.client {
                Client::Grpc(client) => client.send(body).await,
                Client::Http(client) => client.send(body).await,
            }
        };
        timeout(self.timeout, sent)
            .await
            .unwrap_or_else(|_| Answer::Again {
                after: None,
                cause: format!("no answer in {} s", self.timeout.as_secs_f64()),
            })
    }
}

/// The longest time to wait for a connection.
const CONNECT: Duration = Duration::from_secs(10);
