//! The answers that a scenario gives to the calls of filters, by cluster and order.

use std::collections::BTreeMap;
use std::time::Duration;

use super::body::Body;
use super::convert::add;
use super::pattern::Known;
use super::scenario::{Answer, Fault};
use sidespan_host::Headers;

/// The answers of all clusters.
#[derive(Clone, Debug, Default)]
pub(super) struct Answers {
    by_cluster: BTreeMap<String, Vec<Answer>>,
    taken: BTreeMap<String, usize>,
}

/// One answer, ready to be sent.
#[derive(Clone, Debug)]
pub(super) struct Reply {
    /// Time that the cluster needs.
    pub(super) after: Duration,
    /// The answer, or the fault in place of it.
    pub(super) outcome: Result<Parts, Fault>,
}

/// The parts of an answer.
#[derive(Clone, Debug, Default)]
pub(super) struct Parts {
    pub(super) headers: Headers,
    /// The body, for gRPC with a frame around each message.
    pub(super) body: Vec<u8>,
    pub(super) trailers: Headers,
    /// The messages and the status, if the answer is one of gRPC.
    pub(super) grpc: Option<Grpc>,
}

/// The parts of an answer that gRPC has apart from HTTP.
#[derive(Clone, Debug, Default)]
pub(super) struct Grpc {
    pub(super) messages: Vec<Vec<u8>>,
    pub(super) status: u32,
    pub(super) text: String,
}

impl Parts {
    /// Returns the body as it is sent: in one chunk, if there is one.
    pub(super) fn chunks(&self) -> Vec<Body> {
        let body = (!self.body.is_empty()).then(|| Body {
            bytes: self.body.clone(),
            after: Duration::ZERO,
        });
        body.into_iter().collect()
    }
}

impl Answers {
    pub(super) fn new(by_cluster: &BTreeMap<String, Vec<Answer>>) -> Self {
        Self {
            by_cluster: by_cluster.clone(),
            taken: BTreeMap::new(),
        }
    }

    /// Takes the answer to the next call of a cluster; the last one stays.
    ///
    /// # Errors
    /// When a header uses a name that stands for nothing.
    pub(super) fn next(&mut self, cluster: &str) -> anyhow::Result<Option<Reply>> {
        let Some(answers) = self.by_cluster.get(cluster) else {
            return Ok(None);
        };
        let taken = self.taken.entry(cluster.into()).or_default();
        let at = (*taken).min(answers.len().saturating_sub(1));
        *taken += 1;
        answers.get(at).map(reply).transpose()
    }

    /// Returns true if a cluster leaves a call without an answer.
    pub(super) fn has_silence(&self, cluster: &str) -> bool {
        let answers = self.by_cluster.get(cluster).into_iter().flatten();
        answers
            .into_iter()
            .any(|answer| answer.fault == Some(Fault::Silence))
    }

    /// Returns true if a cluster has no hosts.
    pub(super) fn is_empty(&self, cluster: &str) -> bool {
        let mut answers = self.by_cluster.get(cluster).into_iter().flatten();
        answers.any(|answer| answer.fault == Some(Fault::NoHosts))
    }

    /// Returns the clusters, and whether one of them is unreachable.
    pub(super) fn clusters(&self) -> impl Iterator<Item = (&str, bool)> {
        self.by_cluster.iter().map(|(name, answers)| {
            let is_away =
                |answer: &Answer| matches!(answer.fault, Some(Fault::Unreachable | Fault::NoHosts));
            (name.as_str(), answers.iter().any(is_away))
        })
    }
}

fn reply(answer: &Answer) -> anyhow::Result<Reply> {
    let after = answer.after.map_or(Duration::ZERO, |after| after.0);
    let outcome = match answer.fault {
        Some(fault) => Err(fault),
        None => Ok(parts(answer)?),
    };
    Ok(Reply { after, outcome })
}

fn parts(answer: &Answer) -> anyhow::Result<Parts> {
    let known = Known::new();
    let mut headers = Headers::from([(":status", answer.status.unwrap_or(200).to_string())]);
    if answer.messages.is_some() {
        headers.add("content-type", "application/grpc");
    }
    add(&mut headers, &answer.headers, &known)?;
    let mut trailers = Headers::new();
    let mut body = answer.body.bytes.clone();
    for message in answer.messages.iter().flatten() {
        let length = u32::try_from(message.bytes.len())?;
        body.push(0);
        body.extend(length.to_be_bytes());
        body.extend(&message.bytes);
    }
    if answer.messages.is_some() {
        trailers.add("grpc-status", answer.grpc_status.unwrap_or(0).to_string());
    }
    if let Some(text) = &answer.grpc_message {
        trailers.add("grpc-message", text.as_str());
    }
    add(&mut trailers, &answer.trailers, &known)?;
    Ok(Parts {
        headers,
        body,
        trailers,
        grpc: answer.messages.as_ref().map(|messages| Grpc {
            messages: messages.iter().map(|it| it.bytes.clone()).collect(),
            status: answer.grpc_status.unwrap_or(0),
            text: answer.grpc_message.clone().unwrap_or_default(),
        }),
    })
}
