//! The reading of a request's body, within its limit, its time and the memory of the sink.

use std::time::Duration;

use http_body_util::BodyExt;
use hyper::body::{Bytes, Incoming};
use tokio::time::timeout;

use super::memory::Share;
use super::refusal::Refusal;

/// The multiple of the limit at which the connection is broken off.
const READ_ON: usize = 4;
/// The time in which more of a body must come.
const PATIENCE: Duration = Duration::from_secs(15);
/// The time in which the whole body must come.
const WHOLE: Duration = Duration::from_secs(120);

/// The reasons for a missing body.
#[derive(Debug)]
pub(crate) enum BodyError {
    /// A body that is refused.
    Refused(Refusal),
    /// A client that broke off.
    Lost,
}

/// Reads a body of at most `limit` bytes.
///
/// A larger body is read on and dropped for a while, because most clients look for an answer only after they have sent
/// everything, and would see a broken connection in place of the reason.
pub(crate) async fn collect(
    body: Incoming,
    limit: usize,
    share: &mut Share,
) -> Result<Bytes, BodyError> {
    match timeout(WHOLE, collect_in_time(body, limit, share)).await {
        Ok(collected) => collected,
        Err(_) => Err(BodyError::Refused(Refusal::slow())),
    }
}

async fn collect_in_time(
    mut body: Incoming,
    limit: usize,
    share: &mut Share,
) -> Result<Bytes, BodyError> {
    let mut kept = Parts::Empty;
    let mut size = 0usize;
    let mut refusal = None;
    loop {
        let Ok(frame) = timeout(PATIENCE, body.frame()).await else {
            return Err(BodyError::Refused(Refusal::slow()));
        };
        let Some(frame) = frame else { break };
        let Ok(data) = frame.map_err(|_| BodyError::Lost)?.into_data() else {
            continue;
        };
        size = size.saturating_add(data.len());
        if size > limit {
            refusal = Some(Refusal::too_large(limit));
        } else if refusal.is_none() {
            refusal = share.take(data.len()).err();
        }
        if refusal.is_none() {
            kept.append(data);
        } else {
            kept = Parts::Empty;
        }
        if size / READ_ON > limit {
            break;
        }
    }
    match refusal {
        Some(refusal) => Err(BodyError::Refused(refusal)),
        None => Ok(kept.joined()),
    }
}

/// The parts of a body: most have one, which is not copied.
enum Parts {
    Empty,
    One(Bytes),
    Many(Vec<u8>),
}

impl Parts {
    fn append(&mut self, data: Bytes) {
        *self = match std::mem::replace(self, Self::Empty) {
            Self::Empty => Self::One(data),
            Self::One(first) => {
                let mut all = Vec::from(first);
                all.extend_from_slice(&data);
                Self::Many(all)
            }
            Self::Many(mut all) => {
                all.extend_from_slice(&data);
                Self::Many(all)
            }
        };
    }

    fn joined(self) -> Bytes {
        match self {
            Self::Empty => Bytes::new(),
            Self::One(first) => first,
            Self::Many(all) => Bytes::from(all),
        }
    }
}

#[cfg(test)]
mod tests;
