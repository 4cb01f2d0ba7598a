//! The calls of the filters, answered as the scenario says, or by the collector.

use std::time::Duration;

use sidespan_host::{
    CallToken, GrpcCall, GrpcKind, GrpcSent, GrpcToken, Host, HttpCall, NoSuchCall,
};

use super::replies::{AWAY, RESET, Refusal, grpc, grpc_reply, http, router};
use crate::run::answers::{Answers, Parts, Reply};
use crate::run::convert::fields;
use crate::run::passed::{Call, Fields, Message};
use crate::run::scenario::{Collector, Fault, Scenario};
use crate::run::span::{Export, Span, decode};

/// An answer that is under way.
#[derive(Debug)]
struct Pending {
    /// The host's time at which the answer comes.
    due: Duration,
    filter: usize,
    token: Token,
    outcome: Outcome,
}

/// The outcome of a call.
#[derive(Debug)]
enum Outcome {
    /// The peer's answer, and the time that it took.
    Answer(Parts, Duration),
    /// Envoy's own answer to a call that it cannot send, or that the peer cannot read.
    OfRouter(Refusal),
    Fault(Fault),
}

/// The name of a call in its VM.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Token {
    Http(CallToken),
    Grpc(GrpcToken),
}

/// A gRPC call or stream under way.
#[derive(Debug)]
struct Stream {
    filter: usize,
    token: GrpcToken,
    /// The place among the calls that were made.
    at: usize,
    /// True while the guest may send more.
    is_open: bool,
}

/// All calls of a scenario's filters.
#[derive(Debug)]
pub(super) struct Calls {
    /// The answers of the scenario; `None` where the collector answers everything.
    answers: Option<Answers>,
    collector: Collector,
    pending: Vec<Pending>,
    /// The calls so far.
    pub(super) made: Vec<Call>,
    /// The gRPC calls and streams among them.
    streams: Vec<Stream>,
    /// The spans in calls that were exports.
    pub(super) spans: Vec<Span>,
}

impl Calls {
    pub(super) fn new(scenario: &Scenario) -> Self {
        Self {
            answers: scenario.calls.as_ref().map(Answers::new),
            collector: scenario.collector.unwrap_or_default(),
            pending: Vec::new(),
            made: Vec::new(),
            streams: Vec::new(),
            spans: Vec::new(),
        }
    }

    /// Returns the times until the answers that are under way.
    pub(super) fn due_in(&self, now: Duration) -> impl Iterator<Item = Duration> {
        let pending = self.pending.iter();
        pending.map(move |pending| pending.due.saturating_sub(now))
    }

    /// Takes new calls, and gives one answer that is due; returns false if none is.
    ///
    /// # Errors
    /// When an export cannot be read.
    pub(super) fn turn(&mut self, hosts: &mut [&mut Host]) -> anyhow::Result<bool> {
        let now = hosts.first().map_or(Duration::ZERO, |host| host.now());
        for (filter, host) in hosts.iter_mut().enumerate() {
            for call in host.calls() {
                self.schedule(filter, &call, now)?;
            }
            for call in host.grpc_calls() {
                self.schedule_grpc(filter, &call, now)?;
            }
            for (token, sent) in host.grpc_sent() {
                self.send(filter, token, &sent);
            }
        }
        let due = self
            .pending
            .iter()
            .enumerate()
            .filter(|(_, pending)| pending.due <= now)
            .min_by_key(|(_, pending)| pending.due);
        let Some((at, _)) = due else {
            return Ok(false);
        };
        let pending = self.pending.remove(at);
        let host = &mut *hosts[pending.filter];
        // A call that has timed out while another was answered no longer exists.
        let _ = self.deliver(host, pending);
        Ok(true)
    }

    fn schedule(&mut self, filter: usize, call: &HttpCall, now: Duration) -> anyhow::Result<()> {
        let message = Message {
            headers: fields(&call.headers),
            body: call.body.clone(),
            // Envoy sends none, although guests can give them.
            trailers: Fields::new(),
        };
        if self.refuse(filter, Token::Http(call.token), &message, now) {
            return Ok(());
        }
        self.made.push(Call::new(&call.cluster, message));
        let reply = match &mut self.answers {
            Some(answers) => answers.next(&call.cluster)?,
            None => None,
        };
        let reply = match reply {
            Some(reply) => reply,
            None => self.collector(call)?,
        };
        self.keep(filter, Token::Http(call.token), reply, now);
        Ok(())
    }

    fn schedule_grpc(
        &mut self,
        filter: usize,
        call: &GrpcCall,
        now: Duration,
    ) -> anyhow::Result<()> {
        let (headers, body) = call.to_request();
        let message = Message {
            headers: fields(&headers),
            body,
            ..Message::default()
        };
        if self.refuse(filter, Token::Grpc(call.token), &message, now) {
            return Ok(());
        }
        self.streams.push(Stream {
            filter,
            token: call.token,
            at: self.made.len(),
            is_open: call.kind == GrpcKind::Stream,
        });
        self.made.push(Call::new(&call.cluster, message));
        let reply = match &mut self.answers {
            Some(answers) => answers.next(&call.cluster)?,
            None => None,
        };
        let reply = reply.unwrap_or(Reply {
            after: Duration::ZERO,
            outcome: match self.collector {
                Collector::Ok => Ok(grpc("0")),
                Collector::Unavailable => Ok(grpc("14")),
                Collector::Unreachable => Err(Fault::Unreachable),
            },
        });
        self.keep(filter, Token::Grpc(call.token), reply, now);
        Ok(())
    }

    /// Answers for the router where it cannot send a call, or the peer cannot read it; returns false for all other calls.
    fn refuse(&mut self, filter: usize, token: Token, message: &Message, now: Duration) -> bool {
        // The collector reads everything.
        let refusal = self.answers.is_some().then(|| Refusal::of(message));
        let Some(refusal) = refusal.flatten() else {
            return false;
        };
        self.pending.push(Pending {
            due: now,
            filter,
            token,
            outcome: Outcome::OfRouter(refusal),
        });
        true
    }

    /// Adds a message that a filter has sent on a stream to the call as it was made.
    fn send(&mut self, filter: usize, token: GrpcToken, sent: &GrpcSent) {
        let mut streams = self.streams.iter_mut();
        let stream = streams.find(|stream| (stream.filter, stream.token) == (filter, token));
        let Some(stream) = stream else {
            return;
        };
        let GrpcSent::Message(bytes) = sent else {
            stream.is_open = false;
            return;
        };
        if let Some(call) = self.made.get_mut(stream.at) {
            let length = u32::try_from(bytes.len()).unwrap_or(u32::MAX);
            call.message.body.push(0);
            call.message.body.extend(length.to_be_bytes());
            call.message.body.extend(bytes);
        }
    }

    fn keep(&mut self, filter: usize, token: Token, reply: Reply, now: Duration) {
        if reply.outcome.as_ref().err() != Some(&Fault::Silence) {
            self.pending.push(Pending {
                due: now + reply.after,
                filter,
                token,
                outcome: match reply.outcome {
                    Ok(parts) => Outcome::Answer(parts, reply.after),
                    Err(fault) => Outcome::Fault(fault),
                },
            });
        }
    }

    /// Returns true if the guest has not ended its side of a stream.
    fn is_open(&self, filter: usize, token: Token) -> bool {
        self.streams.iter().any(|stream| {
            (stream.filter, Token::Grpc(stream.token)) == (filter, token) && stream.is_open
        })
    }

    fn deliver(&self, host: &mut Host, pending: Pending) -> Result<(), NoSuchCall> {
        let Pending {
            filter,
            token,
            outcome,
            ..
        } = pending;
        let outcome = match outcome {
            Outcome::Answer(mut parts, after) => {
                // The router of Envoy's own client writes how long the answer to a whole request took.
                if self.answers.is_some() && !self.is_open(filter, token) {
                    let name = "x-envoy-upstream-service-time";
                    parts.headers.add(name, after.as_millis().to_string());
                }
                Ok(parts)
            }
            Outcome::OfRouter(refusal) => match token {
                Token::Http(_) => Ok(refusal.parts()),
                Token::Grpc(token) => return host.grpc_reply(token, refusal.grpc()),
            },
            Outcome::Fault(fault) => Err(fault),
        };
        let token = match token {
            Token::Http(token) => token,
            Token::Grpc(token) => return host.grpc_reply(token, grpc_reply(outcome)),
        };
        let parts = match outcome {
            Ok(parts) => parts,
            Err(Fault::Unreachable | Fault::NoHosts | Fault::Silence) if self.answers.is_none() => {
                return host.fail_call(token);
            }
            // Envoy's router answers for a cluster that resets, or that is away.
            Err(Fault::Reset) => router("503", RESET),
            Err(Fault::Unreachable | Fault::NoHosts | Fault::Silence) => router("503", AWAY),
        };
        host.reply(token, parts.headers, parts.body, parts.trailers)
    }

    /// Returns the answer of the collector, and keeps the spans that it takes.
    fn collector(&mut self, call: &HttpCall) -> anyhow::Result<Reply> {
        let export = Export::of(&call.headers);
        let outcome = match (self.collector, export) {
            (Collector::Unreachable, _) => Err(Fault::Unreachable),
            (Collector::Unavailable, Some(Export::Grpc)) => Ok(grpc("14")),
            (Collector::Unavailable, _) => Ok(http("503", None)),
            (Collector::Ok, None) => Ok(http("200", None)),
            (Collector::Ok, Some(export)) => {
                self.spans.extend(decode(export, call)?);
                Ok(match export {
                    Export::Grpc => grpc("0"),
                    Export::Http => http("200", Some("application/x-protobuf")),
                })
            }
        };
        Ok(Reply {
            after: Duration::ZERO,
            outcome,
        })
    }
}
