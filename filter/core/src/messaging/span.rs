//! The spans of messages: PRODUCER for one that is sent, CONSUMER for one or many that are processed.

use alloc::format;
use alloc::string::String;
use alloc::vec::Vec;

use super::context::Context;
use crate::ids::{SpanId, TraceId};
use crate::span::attributes::Attributes;
use crate::time::Nanos;

/// The operation that a span describes, in the words of the messaging system.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Operation<'a> {
    /// The system: `kafka`, `rabbitmq`, `aws_sqs` (`messaging.system`).
    pub system: &'a str,
    /// The name of the operation: `send`, `publish`, `process` (`messaging.operation.name`).
    pub name: &'a str,
    /// The topic, the queue, or RabbitMQ's `{exchange}:{routing key}`, of a consumer `{exchange}:{routing key}:{queue}`
    /// (`messaging.destination.name`).
    pub destination: &'a str,
}

/// The side of a message, by OTLP's numbers.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum MessageKind {
    /// The side that sends.
    Producer = 4,
    /// The side that processes.
    Consumer = 5,
}

/// A span under way. One that is not sampled is propagated, and never exported.
#[derive(Clone, Debug, PartialEq)]
pub struct MessageSpan {
    /// The attributes, to which an application may add its own: `messaging.kafka.offset`, `messaging.message.id`.
    pub attributes: Attributes,
    pub(super) context: Context,
    pub(super) parent: Option<SpanId>,
    pub(super) is_parent_remote: bool,
    pub(super) kind: MessageKind,
    pub(super) name: String,
    pub(super) start: Nanos,
    pub(super) links: Vec<Context>,
    pub(super) links_left_out: u32,
    pub(super) is_failed: bool,
}

impl MessageSpan {
    pub(super) fn new(
        kind: MessageKind,
        operation: Operation<'_>,
        (context, parent): (Context, Option<SpanId>),
        start: Nanos,
    ) -> Self {
        let mut attributes = Attributes::default();
        attributes.text("messaging.system", operation.system.as_bytes());
        attributes.text("messaging.operation.name", operation.name.as_bytes());
        let kind_of_operation = match kind {
            MessageKind::Producer => "send",
            MessageKind::Consumer => "process",
        };
        attributes.text("messaging.operation.type", kind_of_operation.as_bytes());
        if !operation.destination.is_empty() {
            let destination = operation.destination.as_bytes();
            attributes.text("messaging.destination.name", destination);
        }
        let name = format!("{} {}", operation.name, operation.destination);
        Self {
            attributes,
            context,
            parent,
            is_parent_remote: false,
            kind,
            name: cut(name.trim_end()).into(),
            start,
            links: Vec::new(),
            links_left_out: 0,
            is_failed: false,
        }
    }

    /// Adds links to these contexts; those beyond OpenTelemetry's limit of 128 are counted.
    pub(super) fn link_to<'a>(&mut self, contexts: impl Iterator<Item = &'a Context>) {
        for context in contexts.filter(|context| context.span.span_id.is_some()) {
            if self.links.len() < MAX_LINKS {
                self.links.push(context.clone());
            } else {
                self.links_left_out = self.links_left_out.saturating_add(1);
            }
        }
    }

    /// Returns the context of this span, for the message that is sent, and for what is called while a message is processed.
    pub fn context(&self) -> &Context {
        &self.context
    }

    /// Returns the trace id.
    pub fn trace_id(&self) -> TraceId {
        self.context.span.trace_id
    }

    /// Marks the operation as failed, with a class of errors that has few values (`error.type`).
    pub fn fail(&mut self, error_type: &str) {
        if !self.is_failed {
            self.attributes.text("error.type", error_type.as_bytes());
        }
        self.is_failed = true;
    }
}

/// Returns at most as much as an attribute's value may have.
fn cut(name: &str) -> &str {
    let end = name.floor_char_boundary(MAX_NAME_BYTES);
    name.get(..end).unwrap_or_default()
}

const MAX_NAME_BYTES: usize = 1024;
/// The largest number of links on a span: OpenTelemetry's default.
const MAX_LINKS: usize = 128;
