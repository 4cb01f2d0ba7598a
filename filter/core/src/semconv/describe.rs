//! The description of the spans of one configuration: the conventions of HTTP or of gRPC, the facts of the proxy, and
//! the configured attributes.
//!
//! There are no span events: OpenTelemetry retires their API in favour of logs, its conventions record an exception in
//! a log, and a proxy sees no exception. The reason why the proxy ended an exchange is in attributes of the span:
//! `sidespan.response_flags` and, on a failed span, `sidespan.response_code_details`.

use alloc::borrow::Cow;
use alloc::string::String;
use alloc::vec::Vec;

use super::callee::Callee;
use super::custom::CustomAttributes;
use super::http::forwarded::Forwarded;
use super::http::last_server::LastServers;
use super::known_text;
use super::names::{AttributeKey, AttributeWriter, NameSet, SpanSide};
use super::peer::Peer;
use super::routes::Routes;
use super::settings::Spans;
use super::{http, response_flags, rpc};
use crate::headers::{Name, RequestHeaders};
use crate::node::Node;
use crate::sampling::decision::Reason;
use crate::span::attributes::Attributes;
use crate::span::encoded_key::EncodedText;
use crate::span::{SpanKind, Status};
use crate::stream_info::answers::Answers;
use crate::stream_info::attributes::Attribute;
use crate::stream_info::heard::ResponsePart;
use crate::stream_info::outcome::ResponseOutcome;
use crate::stream_info::source::StreamInfo;

/// The names and attributes of spans, as configured for this workload.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct SpanDescriber {
    vocabulary: NameSet,
    routes: Routes,
    secrets: Vec<String>,
    configured: CustomAttributes,
    servers: LastServers,
}

/// The facts of a request that are kept from its beginning to its end, besides attributes.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct RequestFacts {
    // The method of a gRPC call, which then names the span.
    rpc: Option<rpc::Method>,
    name: Cow<'static, str>,
    // The index of the first template that matches the path.
    route: Option<usize>,
    has_forwarded_client: bool,
}

/// The beginning of a span: its kind, the reason why it is recorded, and the block for its attributes.
pub(crate) struct SpanStart {
    pub(crate) kind: SpanKind,
    pub(crate) reason: Reason,
    pub(crate) block: Vec<u8>,
}

/// The name and the status that an end gives to a span.
pub(crate) struct SpanOutcome {
    pub(crate) name: Cow<'static, str>,
    pub(crate) status: Status,
}

impl SpanDescriber {
    /// Returns the describer of this workload.
    pub(crate) fn new(spans: &Spans, node: &Node) -> Self {
        let vocabulary = NameSet::new(spans);
        let mut fixed = Attributes::default();
        let mut writer = AttributeWriter {
            vocabulary,
            side: SpanSide {
                kind: SpanKind::Server,
                is_rpc: false,
            },
            out: &mut fixed,
        };
        for (key, value) in node.istio_tags() {
            writer.text(key, value.as_bytes());
        }
        Self {
            vocabulary,
            routes: Routes::new(&spans.routes),
            secrets: spans.redact_query.clone(),
            configured: CustomAttributes::new(fixed, &spans.attributes, &node.variables),
            servers: LastServers::default(),
        }
    }

    /// Returns the facts of a request that its end needs.
    #[inline]
    pub(crate) fn facts(
        &self,
        headers: &RequestHeaders<'_>,
        forwarded: &Forwarded<'_>,
    ) -> RequestFacts {
        let is_rpc = headers.first(Name::ContentType).is_some_and(rpc::is_grpc);
        self.facts_of(headers, forwarded, is_rpc)
    }

    /// Returns the facts of a request that was, or was not, a gRPC call when it arrived. A filter may have translated it
    /// since.
    #[inline]
    pub(crate) fn facts_of(
        &self,
        headers: &RequestHeaders<'_>,
        forwarded: &Forwarded<'_>,
        is_rpc: bool,
    ) -> RequestFacts {
        let (rpc, route) = self.kind(headers, is_rpc);
        RequestFacts {
            name: match rpc {
                Some(_) => Cow::Borrowed(""),
                None => http::name(headers, self.route(route)),
            },
            rpc,
            route,
            has_forwarded_client: forwarded.client().is_some(),
        }
    }

    /// Returns the name that a span of this request has when it begins.
    #[inline]
    pub(crate) fn operation(&self, headers: &RequestHeaders<'_>) -> Cow<'static, str> {
        let is_rpc = headers.first(Name::ContentType).is_some_and(rpc::is_grpc);
        match self.kind(headers, is_rpc) {
            (Some(method), _) => method.span_name(),
            (None, route) => http::name(headers, self.route(route)),
        }
    }

    /// Returns the method of a gRPC call, or else the index of the first template that matches the path.
    #[inline]
    fn kind(
        &self,
        headers: &RequestHeaders<'_>,
        is_rpc: bool,
    ) -> (Option<rpc::Method>, Option<usize>) {
        let (path, _) = headers.target();
        if is_rpc {
            return (Some(rpc::Method::of_path(path)), None);
        }
        (None, self.routes.position(path))
    }

    /// Returns the attributes that a span begins with.
    #[inline]
    pub(crate) fn begin<'a>(
        &self,
        SpanStart {
            kind,
            reason,
            block,
        }: SpanStart,
        facts: &RequestFacts,
        headers: &RequestHeaders<'_>,
        forwarded: &Forwarded<'_>,
        all: impl Iterator<Item = (&'a [u8], &'a [u8])> + Clone,
    ) -> Attributes {
        let mut attributes = self.configured.begin(headers, all, block);
        if let Some(decision) = DECISIONS.get(reason as usize) {
            attributes.whole_text(decision);
        }
        if reason == Reason::Debug {
            // The policies of gateways behind this proxy look for this tag (OpenTracing, "Standard Span tags").
            attributes.number("sampling.priority", 1);
        }
        let writer = &mut self.writer(kind, facts, &mut attributes);
        if facts.is_rpc() {
            http::describe_server(writer, headers, forwarded, &self.servers);
        } else {
            let route = self.route(facts.route);
            let (secrets, servers) = (&self.secrets, &self.servers);
            http::describe_request(writer, headers, forwarded, route, secrets, servers);
        }
        attributes
    }

    /// Adds the attributes of the response and of the stream, and returns the name and the status of the span.
    #[inline]
    pub(crate) fn end(
        &self,
        kind: SpanKind,
        facts: &RequestFacts,
        attributes: &mut Attributes,
        outcome: &ResponseOutcome,
        response: &[Option<Vec<u8>>],
        answers: &Answers<'_, impl StreamInfo>,
    ) -> SpanOutcome {
        let writer = &mut self.writer(kind, facts, attributes);
        let described = match &facts.rpc {
            Some(method) => {
                let (status, name) = rpc::describe_outcome(writer, method, outcome);
                SpanOutcome { name, status }
            }
            None => SpanOutcome {
                name: facts.name.clone(),
                status: http::describe_outcome(writer, outcome),
            },
        };
        match kind {
            SpanKind::Server => self.describe_caller(writer, facts, answers),
            SpanKind::Client => describe_upstream(writer, answers),
        }
        if outcome.response_flags != 0 {
            let flags = response_flags::short_names(outcome.response_flags);
            attributes.text("sidespan.response_flags", flags.as_bytes());
        }
        if described.status == Status::Error
            && let Some(details) = answers.stream_info.property("response\0code_details")
        {
            attributes.text("sidespan.response_code_details", &details);
        }
        if self.configured.has_end() {
            self.configured
                .end(attributes, response, answers.stream_info);
        }
        described
    }

    /// Returns true if attributes are read from the response as it passes.
    #[inline]
    pub(crate) fn reads_response(&self) -> bool {
        self.configured.reads_response()
    }

    /// Adds to `heard` what a part of the response says as it passes, because at the end it can no longer be read.
    #[inline]
    pub(crate) fn read_response(
        &self,
        part: ResponsePart,
        stream_info: &impl StreamInfo,
        heard: &mut Vec<Option<Vec<u8>>>,
    ) {
        self.configured.read_response(part, stream_info, heard);
    }

    #[inline]
    fn route(&self, index: Option<usize>) -> Option<&str> {
        self.routes.get(index?)
    }

    #[inline]
    fn writer<'a>(
        &self,
        kind: SpanKind,
        facts: &RequestFacts,
        out: &'a mut Attributes,
    ) -> AttributeWriter<'a> {
        AttributeWriter {
            vocabulary: self.vocabulary,
            side: SpanSide {
                kind,
                is_rpc: facts.is_rpc(),
            },
            out,
        }
    }

    /// Adds the peer and the protocol of the caller's connection.
    #[inline]
    fn describe_caller(
        &self,
        writer: &mut AttributeWriter<'_>,
        facts: &RequestFacts,
        answers: &Answers<'_, impl StreamInfo>,
    ) {
        let omits = |key| writer.vocabulary.omits(key);
        // The peer may be the client, and a header with another address may be the client's own: an address that is
        // omitted under one name is omitted under the other.
        let hides_peer = omits(AttributeKey::ClientAddress)
            || omits(AttributeKey::PeerAddress) && omits(AttributeKey::PeerPort);
        let is_client =
            !facts.is_rpc() && !facts.has_forwarded_client && !omits(AttributeKey::ClientAddress);
        if (is_client || !hides_peer)
            && let Some(peer) = answers.attribute(Attribute::Source)
        {
            let peer = Peer::read(&peer);
            if is_client && let Peer::Address(address, _) = peer {
                writer.text(AttributeKey::ClientAddress, address);
            }
            // Envoy takes the address of `x-forwarded-for` for the source, then without a port; such a source is not
            // the peer of this connection.
            let is_told = matches!(peer, Peer::Address(_, Some(b"0")));
            if !hides_peer && !is_told {
                peer.describe(writer);
            }
        }
        if !facts.is_rpc()
            && !writer.vocabulary.omits(AttributeKey::ProtocolVersion)
            && let Some(protocol) = answers.attribute(Attribute::Protocol)
        {
            match (
                known_text::version(&protocol),
                protocol.strip_prefix(b"HTTP/"),
            ) {
                (Some(version), _) => writer.known(AttributeKey::ProtocolVersion, version),
                (None, Some(version)) => writer.text(AttributeKey::ProtocolVersion, version),
                (None, None) => {}
            }
        }
    }
}

impl RequestFacts {
    /// Returns true if the request asked for a tunnel.
    #[inline]
    pub(crate) fn is_connect(&self) -> bool {
        self.name == "CONNECT"
    }

    /// Returns true if the request is a gRPC call.
    #[inline]
    pub(crate) fn is_rpc(&self) -> bool {
        self.rpc.is_some()
    }
}

/// The attribute of each reason for a decision, in the order of declaration.
static DECISIONS: [EncodedText; Reason::ALL.len()] = {
    let mut all = [const { EncodedText::new("", "") }; Reason::ALL.len()];
    let (mut places, mut rest) = (all.as_mut_slice(), Reason::ALL.as_slice());
    while let ([place, places_left @ ..], [reason, reasons_left @ ..]) = (places, rest) {
        *place = EncodedText::new("sidespan.decision", reason.name());
        (places, rest) = (places_left, reasons_left);
    }
    all
};

/// Adds the peer of the upstream connection, the service that is called, and the number of attempts before the last.
#[inline]
fn describe_upstream(writer: &mut AttributeWriter<'_>, answers: &Answers<'_, impl StreamInfo>) {
    let is_asked = !(writer.vocabulary.omits(AttributeKey::PeerAddress)
        && writer.vocabulary.omits(AttributeKey::PeerPort));
    if is_asked && let Some(peer) = answers.attribute(Attribute::Upstream) {
        Peer::read(&peer).describe(writer);
    }
    let names_callee = !(writer.vocabulary.omits(AttributeKey::PeerService)
        && writer.vocabulary.omits(AttributeKey::PeerNamespace));
    if names_callee
        && let Some(cluster) = answers.attribute(Attribute::Cluster)
        && let Some(callee) = Callee::of_cluster(&cluster)
    {
        writer.text(AttributeKey::PeerService, callee.name);
        writer.text(AttributeKey::PeerNamespace, callee.namespace);
    }
    if let Some(attempts) = answers.number(Attribute::Attempts)
        && let Some(resends) = attempts.checked_sub(1)
        && let Ok(resends @ 1..) = i64::try_from(resends)
    {
        writer.number(AttributeKey::ResendCount, resends);
    }
}

#[cfg(test)]
mod tests;
