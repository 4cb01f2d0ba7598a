//! The filter's own HTTP calls, sent to real servers.
//!
//! The VM itself answers calls that take too long. A call that never reaches its cluster gets the answer of Envoy's
//! router: a response 503, or UNAVAILABLE for gRPC.

use std::collections::BTreeMap;

use http_body_util::{BodyExt, Limited};
use sidespan_host::{Headers, HttpCall, LocalReply};
use tokio::sync::mpsc;

use super::config::SidecarConfig;
use super::message;
use super::pool::{Pool, RESET_BEFORE_HEADERS};
use super::protocol::Protocol;
use super::tape::{Message, Tape};
use super::vm::{Call, Vm};

/// The sender of the filter's calls.
#[derive(Clone)]
pub(super) struct Caller {
    clusters: BTreeMap<String, String>,
    any: Option<String>,
    pool: Pool,
    vm: Vm,
    tape: Option<Tape>,
}

struct Answer {
    headers: Headers,
    body: Vec<u8>,
    trailers: Headers,
}

impl Caller {
    pub(super) fn new(config: &SidecarConfig, vm: Vm) -> Self {
        let (clusters, any) = (config.clusters.clone(), config.any_cluster.clone());
        Self {
            clusters,
            any,
            pool: Pool::default(),
            vm,
            tape: config.tape.clone(),
        }
    }

    /// Sends calls until the VM's thread has ended, each in a task of its own.
    pub(super) async fn run(self, mut calls: mpsc::UnboundedReceiver<Call>) {
        while let Some(call) = calls.recv().await {
            let caller = self.clone();
            tokio::spawn(async move { caller.make(call).await });
        }
    }

    async fn make(self, Call { vm, call }: Call) {
        let (token, timeout) = (call.token, call.timeout);
        let cluster = call.cluster.clone();
        let answer = self.ask(call);
        let answer = match timeout {
            // The VM has answered the call by itself after the timeout.
            Some(timeout) => match tokio::time::timeout(timeout, answer).await {
                Ok(answer) => answer,
                Err(_) => return,
            },
            None => answer.await,
        };
        if let Some(tape) = &self.tape {
            let answer = answer.as_ref().map(|answer| {
                let (headers, trailers) = (answer.headers.clone(), answer.trailers.clone());
                Message::whole(headers, &answer.body, trailers)
            });
            tape.answered(&cluster, answer);
        }
        self.vm.tell(move |worker| {
            let Some(host) = worker.chain.vms_mut().get_mut(vm) else {
                return;
            };
            // The VM may have given the call up meanwhile.
            let _ = match answer {
                Some(answer) => host.reply(token, answer.headers, answer.body, answer.trailers),
                None => host.fail_call(token),
            };
        });
    }

    /// Returns the answer; `None` when the response broke off.
    async fn ask(&self, call: HttpCall) -> Option<Answer> {
        let is_grpc = call.headers.is_grpc();
        let protocol = if is_grpc {
            Protocol::Http2
        } else {
            Protocol::Http1
        };
        let Some(address) = self.clusters.get(&call.cluster).or(self.any.as_ref()) else {
            return Some(unavailable(is_grpc, "remote connection failure"));
        };
        let trailers = (!call.trailers.is_empty()).then(|| message::to_map(&call.trailers));
        let body = message::whole(call.body, trailers);
        let request = match message::to_request(&call.headers, protocol, body) {
            Ok(request) => request,
            Err(error) => {
                log::warn!("a call to {} cannot be sent: {error}", call.cluster);
                return None;
            }
        };
        let (response, _slot) = match self.pool.send(address, protocol, request).await {
            Ok(answered) => answered,
            Err(error) => {
                log::debug!("a call to {} at {address} failed: {error}", call.cluster);
                return Some(unavailable(is_grpc, error.reset_reason()));
            }
        };
        let (parts, body) = response.into_parts();
        let body = Limited::new(body, MAX_RESPONSE_BYTES)
            .collect()
            .await
            .ok()?;
        let trailers = body
            .trailers()
            .map(message::of_trailers)
            .unwrap_or_default();
        let headers = message::of_response(&parts);
        Some(Answer {
            headers,
            body: body.to_bytes().to_vec(),
            trailers,
        })
    }
}

/// Returns the answer of Envoy's router when there is no response.
fn unavailable(is_grpc: bool, reason: &str) -> Answer {
    let text = format!("{RESET_BEFORE_HEADERS}. reset reason: {reason}");
    let (headers, body) = LocalReply::new(503, "").body(text).to_response(is_grpc);
    Answer {
        headers,
        body,
        trailers: Headers::new(),
    }
}

/// Bound on one response, because the filter gets it as one piece.
const MAX_RESPONSE_BYTES: usize = 16 * 1024 * 1024;
