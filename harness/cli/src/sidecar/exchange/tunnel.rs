//! Both directions of a WebSocket, from the agreement of both sides until one of them goes away.

use std::io;

use hyper::body::Bytes;
use hyper::upgrade::{OnUpgrade, Upgraded};
use hyper_util::rt::TokioIo;
use sidespan_host::Ending;
use tokio::io::{AsyncWriteExt, WriteHalf};
use tokio::sync::mpsc;

use super::pump::{Carried, Pump};
use super::source::Source;
use crate::sidecar::message::Piece;

/// Carries bytes both ways, and returns how the stream has ended.
pub(super) async fn carry(
    (client, mut request): (OnUpgrade, Pump),
    (upstream, mut response): (OnUpgrade, Pump),
) -> Ending {
    let (client, upstream) = match take(client, upstream).await {
        Ok(ends) => ends,
        Err(error) => {
            log::debug!("an upgrade came to nothing: {error}");
            return Ending::ClientAbort;
        }
    };
    let (from_client, to_client) = tokio::io::split(client);
    let (from_upstream, to_upstream) = tokio::io::split(upstream);
    request.source = Source::Raw(from_client);
    response.source = Source::Raw(from_upstream);
    let up = carry_one(&mut request, to_upstream);
    let down = carry_one(&mut response, to_client);
    // As in Envoy the first end of either side is the end of both.
    tokio::select! {
        _ = up => Ending::ClientAbort,
        carried = down => match carried {
            Carried::All | Carried::Stopped => Ending::Complete,
            Carried::SourceBroken => Ending::UpstreamReset,
            Carried::SinkClosed => Ending::ClientAbort,
        },
    }
}

/// Carries one direction to its end, and writes all of it.
async fn carry_one(pump: &mut Pump, writer: WriteHalf<TokioIo<Upgraded>>) -> Carried {
    let (pieces, passed) = mpsc::channel::<Piece>(4);
    let carry = async {
        // The sender goes away with this block, so that the writer ends.
        let pieces = pieces;
        pump.body(&pieces).await
    };
    let (carried, written) = tokio::join!(carry, write(writer, passed));
    match written {
        Ok(()) => carried,
        Err(_) => Carried::SinkClosed,
    }
}

/// Waits for both ends of the connection.
async fn take(
    client: OnUpgrade,
    upstream: OnUpgrade,
) -> Result<(TokioIo<Upgraded>, TokioIo<Upgraded>), hyper::Error> {
    let (client, upstream) = tokio::try_join!(client, upstream)?;
    Ok((TokioIo::new(client), TokioIo::new(upstream)))
}

/// Writes what the filters have passed, and closes the connection behind it.
async fn write(
    mut writer: WriteHalf<TokioIo<Upgraded>>,
    mut pieces: mpsc::Receiver<Piece>,
) -> io::Result<()> {
    while let Some(piece) = pieces.recv().await {
        let bytes = match piece {
            Piece::Frame(frame) => frame.into_data().unwrap_or_else(|_| Bytes::new()),
            Piece::End => break,
        };
        writer.write_all(&bytes).await?;
        writer.flush().await?;
    }
    writer.shutdown().await
}
