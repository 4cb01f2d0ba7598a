//! The filter's own HTTP calls, sent to real servers.
//!
//! The VM itself answers calls that take too long. A call that never reaches its cluster gets the answer of Envoy's
//! router: a response 503, or UNAVAILABLE for gRPC.

use std::collections::BTreeMap;

use http_body_util::{BodyExt, Limited};
use sidespan_host::{Headers, HttpCall, LocalReply};
use tokio::sync::mpsc;

use super::config::SidecarConfig;
use super::message::{self, Protocol};
use super::pool::Pool;
use super::vm::Vm;

/// The sender of the filter's calls.
#[derive(Clone)]
pub(super) struct Caller {
    clusters: BTreeMap<String, String>,
    any: Option<String>,
    pool: Pool,
    vm: Vm,
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
        }
    }

    /// Sends calls until the VM's thread has ended, each in a task of its own.
    pub(super) async fn run(self, mut calls: mpsc::UnboundedReceiver<HttpCall>) {
        while let Some(call) = calls.recv().await {
            let caller = self.clone();
            tokio::spawn(async move { caller.make(call).await });
        }
    }

    async fn make(self, call: HttpCall) {
        let (token, timeout) = (call.token, call.timeout);
        let answer = self.ask(call);
        let answer = match timeout {
            // The VM has answered the call by itself after the timeout.
            Some(timeout) => match tokio::time::timeout(timeout, answer).await {
                Ok(answer) => answer,
                Err(_) => return,
            },
            None => answer.await,
        };
        self.vm.tell(move |worker| {
            // The VM may have given the call up meanwhile.
            let _ = match answer {
                Some(answer) => {
                    worker
                        .host
                        .reply(token, answer.headers, answer.body, answer.trailers)
                }
                None => worker.host.fail_call(token),
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
            return Some(unavailable(is_grpc));
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
        let response = match self.pool.send(address, protocol, request).await {
            Ok(response) => response,
            Err(error) => {
                log::debug!("a call to {} at {address} failed: {error}", call.cluster);
                return Some(unavailable(is_grpc));
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

/// Returns the answer of Envoy's router when there is no connection.
fn unavailable(is_grpc: bool) -> Answer {
    let text = "upstream connect error or disconnect/reset before headers";
    let (headers, body) = LocalReply::new(503, "").body(text).to_response(is_grpc);
    Answer {
        headers,
        body,
        trailers: Headers::new(),
    }
}

/// Bound on one response, because the filter gets it as one piece.
const MAX_RESPONSE_BYTES: usize = 16 * 1024 * 1024;
