//! The proxy behind this VM: the core's traits, each method by its hostcall.

use std::fmt;
use std::time::Duration;

use sidespan_abi::hostcalls;
use sidespan_abi::types::{BufferType, MapType, Status};
use sidespan_core::cluster_call::send_error::SendError;
use sidespan_core::headers::HeaderWriter;
use sidespan_core::proxy::{ClusterCalls, LogLevel, SharedData, Stream, Worker};
use sidespan_core::stream_info::attributes::AttributeSet;
use sidespan_core::stream_info::fact::Fact;
use sidespan_core::stream_info::source::{PassingResponse, StreamInfo};
use sidespan_core::time::Nanos;

use super::clock;
use super::header_writer::MapWriter;
use super::log_once;

/// The proxy, on whose current context each call acts.
#[derive(Clone, Copy, Debug, Default)]
pub(crate) struct CurrentProxy {
    // In the order of `AttributeSet::ALL`; `None` where the proxy does not evaluate lists.
    expressions: [Option<Expression>; AttributeSet::ALL.len()],
    // In the order of `Fact::ALL`, likewise.
    facts: [Option<Expression>; Fact::ALL.len()],
}

/// The proxy's handle on an expression, which lives as long as this root context.
type Expression = [u8; 4];

impl CurrentProxy {
    /// Prepares an expression in the proxy for each set of attributes and each fact. An Envoy that was built without CEL refuses, and
    /// each property is then read by itself.
    #[inline]
    pub(crate) fn prepare() -> Self {
        let create = |expression: &str| {
            let handle = hostcalls::call_foreign_function("expr_create", expression.as_bytes());
            handle.ok()?.try_into().ok()
        };
        Self {
            expressions: AttributeSet::ALL.map(|attributes| create(&attributes.expression())),
            facts: Fact::ALL.map(|fact| create(fact.expression())),
        }
    }
}

impl StreamInfo for CurrentProxy {
    #[inline]
    fn property(&self, path: &str) -> Option<Vec<u8>> {
        hostcalls::get_property(path)
    }

    #[inline]
    fn answers(&self, attributes: AttributeSet) -> Option<Vec<u8>> {
        let expression = self
            .expressions
            .get(attributes as usize)
            .copied()
            .flatten()?;
        hostcalls::call_foreign_function("expr_evaluate", &expression).ok()
    }

    #[inline]
    fn confirms(&self, fact: Fact) -> bool {
        let Some(expression) = self.facts.get(fact as usize).copied().flatten() else {
            return false;
        };
        let answer = hostcalls::call_foreign_function("expr_evaluate", &expression);
        answer == Err(Status::SerializationFailure)
    }
}

impl PassingResponse for CurrentProxy {
    #[inline]
    fn response_headers(&self) -> Vec<u8> {
        hostcalls::get_map_block(MapType::HttpResponseHeaders)
    }

    #[inline]
    fn response_header(&self, name: &str) -> Option<Vec<u8>> {
        hostcalls::get_map_value_bytes(MapType::HttpResponseHeaders, name)
    }

    #[inline]
    fn response_trailer(&self, name: &str) -> Option<Vec<u8>> {
        hostcalls::get_map_value_bytes(MapType::HttpResponseTrailers, name)
    }
}

impl Stream for CurrentProxy {
    #[inline]
    fn request_headers(&self) -> Vec<u8> {
        hostcalls::get_map_block(MapType::HttpRequestHeaders)
    }

    #[inline]
    fn request_writer(&self) -> impl HeaderWriter {
        MapWriter::new(MapType::HttpRequestHeaders)
    }

    #[inline]
    fn response_writer(&self) -> impl HeaderWriter {
        MapWriter::new(MapType::HttpResponseHeaders)
    }

    #[inline]
    fn trailer_writer(&self) -> impl HeaderWriter {
        MapWriter::new(MapType::HttpResponseTrailers)
    }

    /// Reads the property under `xds`, where Envoy 1.33 moved it, or under its old name.
    #[inline]
    fn listener_direction(&self) -> Option<u64> {
        let bytes = hostcalls::get_property("xds\0listener_direction")
            .or_else(|| hostcalls::get_property("listener_direction"))?;
        Some(u64::from_le_bytes(bytes.try_into().ok()?))
    }

    #[inline]
    fn set_filter_state(&self, name: &str, value: &[u8]) {
        hostcalls::set_property(name, value);
    }
}

impl SharedData for CurrentProxy {
    #[inline]
    fn shared_data(&self, key: &[u8]) -> Vec<u8> {
        let (value, _) = hostcalls::get_shared_data(key);
        value
    }

    #[inline]
    fn set_shared_data(&self, key: &[u8], value: &[u8]) {
        hostcalls::set_shared_data(key, value);
    }
}

impl ClusterCalls for CurrentProxy {
    /// Sends a request by `proxy_http_call`, which Envoy answers with OK, BAD_ARGUMENT (no such cluster) or
    /// INTERNAL_FAILURE.
    fn http_call(
        &self,
        cluster: &str,
        headers: &[(&str, &str)],
        body: Option<&[u8]>,
        timeout: Duration,
    ) -> Result<u32, SendError> {
        hostcalls::dispatch_http_call(cluster, headers.to_vec(), body, Vec::new(), timeout).map_err(
            |status| match status {
                Status::BadArgument => SendError::UnknownCluster,
                _ => SendError::NotSent,
            },
        )
    }

    fn answer_header(&self, name: &str) -> Option<Vec<u8>> {
        hostcalls::get_map_value_bytes(MapType::HttpCallResponseHeaders, name)
    }

    fn answer_trailer(&self, name: &str) -> Option<Vec<u8>> {
        hostcalls::get_map_value_bytes(MapType::HttpCallResponseTrailers, name)
    }

    fn answer_body(&self, max_bytes: usize) -> Vec<u8> {
        hostcalls::get_buffer(BufferType::HttpCallResponseBody, 0, max_bytes).unwrap_or_default()
    }
}

impl Worker for CurrentProxy {
    #[inline]
    fn now(&self) -> Nanos {
        clock::now()
    }

    fn monotonic(&self) -> Nanos {
        clock::monotonic()
    }

    #[inline]
    fn set_tick_period(&self, period: Duration) {
        hostcalls::set_tick_period(period);
    }

    #[inline]
    fn logs_debug(&self) -> bool {
        log::log_enabled!(log::Level::Debug)
    }

    fn log(&self, level: LogLevel, line: fmt::Arguments<'_>) {
        log::log!(as_level(level), "{line}");
    }

    fn log_once(
        &self,
        level: LogLevel,
        topic: &str,
        digest: &str,
        round: Duration,
        line: fmt::Arguments<'_>,
    ) {
        if log_once::is_first_to_say(topic, &format!("{digest} {line}"), round) {
            self.log(level, line);
        }
    }
}

fn as_level(level: LogLevel) -> log::Level {
    match level {
        LogLevel::Debug => log::Level::Debug,
        LogLevel::Info => log::Level::Info,
        LogLevel::Warn => log::Level::Warn,
    }
}
