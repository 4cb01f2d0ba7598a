//! Calls that Envoy takes, and whose effect is hardly what a filter's author wants: one row of text for each.

/// A situation that a filter has brought about with calls that Envoy answers OK.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub enum Situation {
    /// A map was written from bytes that Envoy cannot read.
    WipedMap,
    /// A local reply was sent where there is no stream.
    ReplyWithoutStream,
    /// A second local reply was sent after the first has gone out.
    SecondReply,
    /// A local reply was sent after the headers of the response have gone out.
    ReplyAfterHeaders,
    /// A headers callback has resumed its message, and answered Continue.
    HeadersTwice,
    /// A headers callback has resumed its message, and answered with a pause.
    ResumedThenPaused,
    /// The response was resumed before there was one.
    ResumedNoResponse,
    /// A local reply was sent once the request was answered and its stream had ended.
    ReplyAfterEnd,
    /// A stream was closed that had ended with an answer.
    ClosedAfterEnd,
    /// A gRPC call names a cluster whose name is also the encoding of a protobuf message.
    ClusterNameIsMessage,
    /// The guest has called `proc_exit`.
    ProcExit,
    /// Filters have left a request that no route matches.
    NoRoute,
    /// Filters have left a request that the codec does not send.
    UnsendableRequest,
    /// Filters have left a response without a status.
    NoStatus,
    /// A filter has buffered more than the limit.
    BufferLimit,
    /// A filter holds back more than the limit below a watermark.
    Stalled,
}

/// The text of a situation.
pub(super) struct Text {
    /// The host function or callback.
    pub(super) function: &'static str,
    /// The effect.
    pub(super) why: &'static str,
    /// The part of the SDKs in it.
    pub(super) sdks: &'static str,
    /// The consequence for traffic.
    pub(super) traffic: &'static str,
    /// True if Envoy itself ends.
    pub(super) kills_envoy: bool,
}

const TAKEN: &str = "The SDKs see OK";

impl Situation {
    /// Every situation.
    pub const ALL: [Self; 16] = [
        Self::WipedMap,
        Self::ReplyWithoutStream,
        Self::SecondReply,
        Self::ReplyAfterHeaders,
        Self::HeadersTwice,
        Self::ResumedThenPaused,
        Self::ResumedNoResponse,
        Self::ReplyAfterEnd,
        Self::ClosedAfterEnd,
        Self::ClusterNameIsMessage,
        Self::ProcExit,
        Self::NoRoute,
        Self::UnsendableRequest,
        Self::NoStatus,
        Self::BufferLimit,
        Self::Stalled,
    ];

    /// Returns the host function or the callback that the situation is about.
    pub fn function(self) -> &'static str {
        self.text().function
    }

    /// Returns the effect of the call.
    pub fn why(self) -> &'static str {
        self.text().why
    }

    /// Returns true if Envoy itself ends, and so the VM here.
    pub fn kills_envoy(self) -> bool {
        self.text().kills_envoy
    }

    pub(super) fn text(self) -> Text {
        let row = |function, why, traffic| Text {
            function,
            why,
            sdks: TAKEN,
            traffic,
            kills_envoy: false,
        };
        let fatal = |function, why| Text {
            function,
            why,
            sdks: "Nobody sees an answer",
            traffic: "All connections of this Envoy break, those of other listeners, too; a supervisor has to start it again",
            kills_envoy: true,
        };
        match self {
            Self::WipedMap => row(
                "proxy_set_header_map_pairs",
                "Envoy reads malformed pairs, more than 1 MiB of them, or more than 1,024, as an empty map, and wipes the headers",
                "A request without headers is answered 404, a response without headers 502",
            ),
            Self::ReplyWithoutStream => row(
                "proxy_send_local_response",
                "a root context has no request to answer, unless the effective context is a stream's, and Envoy drops the reply",
                "A request that waits for this reply waits on",
            ),
            Self::SecondReply => row(
                "proxy_send_local_response",
                "the request was answered before, and Envoy drops the second local reply",
                "The client sees the first",
            ),
            Self::ReplyAfterHeaders => row(
                "proxy_send_local_response",
                "the headers of the response have gone out, so that Envoy cannot answer any more and ends the stream",
                "The client sees the status of the headers that went out, and a body that breaks off",
            ),
            Self::HeadersTwice => row(
                "proxy_continue_stream",
                "the callback resumes its own headers and then answers Continue, and Envoy 1.36 and 1.40 pass the headers on for each of the two",
                "The upstream gets the request twice",
            ),
            Self::ResumedThenPaused => row(
                "proxy_continue_stream",
                "the callback resumes its own headers and then pauses: the headers have gone on, and what follows them waits",
                "The upstream waits for a body, and the client for an answer, until the filter resumes the stream again",
            ),
            Self::ResumedNoResponse => fatal(
                "proxy_continue_stream",
                "the response is resumed before there is one, and Envoy 1.36 and 1.40 die of SIGSEGV. Here the VM ends",
            ),
            Self::ReplyAfterEnd => fatal(
                "proxy_send_local_response",
                "`proxy_on_log`, `proxy_on_done` or `proxy_on_delete` answers a request that was answered before, and Envoy 1.40 dies of SIGSEGV. Here the VM ends",
            ),
            Self::ClosedAfterEnd => fatal(
                "proxy_close_stream",
                "`proxy_on_log`, `proxy_on_done` or `proxy_on_delete` closes the stream of a request that was answered, and Envoy 1.40 dies of SIGSEGV. Here the VM ends",
            ),
            Self::ClusterNameIsMessage => fatal(
                "proxy_grpc_call",
                "the name of the cluster is also the encoding of an `envoy.config.core.v3.GrpcService` that has no target, and Envoy 1.40 aborts. Here the VM ends",
            ),
            Self::ProcExit => row(
                "proc_exit",
                "Envoy returns from proc_exit to the guest, whose next instruction is mostly `unreachable`",
                "A trap ends the VM of this worker; nothing else happens if the guest goes on",
            ),
            Self::NoRoute => row(
                "proxy_on_request_headers",
                "filters have removed `:path` or `x-forwarded-proto`, and a request without them has no route",
                "The client gets 404, and the upstream nothing",
            ),
            Self::UnsendableRequest => row(
                "proxy_on_request_headers",
                "filters have removed `:method`, or written a name or a value that the codec does not send",
                "The client gets 503 with the reason, and the upstream nothing",
            ),
            Self::NoStatus => row(
                "proxy_on_response_headers",
                "filters have left no number as `:status`",
                "The client gets 502 with the reason in place of the response",
            ),
            Self::BufferLimit => row(
                "StopIterationAndBuffer",
                "the filter has buffered more than `per_connection_buffer_limit_bytes`, 1 MiB unless the listener says otherwise",
                "A request is answered 413; a response is replaced by 500, or breaks off if its headers have gone out",
            ),
            Self::Stalled => row(
                "StopIterationAndWatermark",
                "the filter holds back more than `per_connection_buffer_limit_bytes`, and Envoy reads no more until it resumes",
                "The sender waits, and its stream ends by a timeout if the filter never resumes",
            ),
        }
    }
}
