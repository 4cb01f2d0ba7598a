//! The metric `trace` of `Server-Timing`, by which a callee names a kept trace to its caller (W3C Trace Context level 3,
//! editor's draft, "Server-Timing").
//!
//! ```abnf
//! Server-Timing = #metric                         ; W3C Server Timing
//! metric        = name *( OWS ";" OWS param )
//! param         = name OWS "=" OWS ( token / quoted-string )
//! ```
//!
//! `trace;desc=00-4bf92f3577b34da6a3ce929d0e0e4736-00f067aa0ba902b7-01, db;dur=53`
//!
//! The flag is sampled, because the callee has kept its span. Other metrics are the application's and stay. The metric
//! `trace` goes in front of them, so that it is in the first line.

use alloc::vec::Vec;

use crate::codec::number::trim;
use crate::codec::scan;
use crate::ids::{SpanId, TraceId};

/// The name of the header, and of the trailer of a gRPC call.
pub const NAME: &str = "server-timing";

/// Returns the value that names this kept span, in front of the existing metrics.
pub(crate) fn with_kept_trace(
    trace_id: TraceId,
    span_id: SpanId,
    existing: Option<&[u8]>,
) -> Vec<u8> {
    let rest = existing.map(without_trace_metrics).unwrap_or_default();
    let mut value = Vec::with_capacity(METRIC_BYTES.saturating_add(rest.len()));
    value.extend_from_slice(b"trace;desc=00-");
    value.extend_from_slice(&trace_id.to_hex());
    value.push(b'-');
    value.extend_from_slice(&span_id.to_hex());
    value.extend_from_slice(b"-01");
    if !rest.is_empty() {
        value.extend_from_slice(b", ");
        value.extend_from_slice(&rest);
    }
    value
}

/// Returns true if a metric of the value says that this trace was kept.
pub(crate) fn contains_kept(value: &[u8], trace_id: TraceId) -> bool {
    metrics(value)
        .filter_map(kept_trace)
        .any(|(told, is_sampled)| is_sampled && told == trace_id)
}

/// Returns true if the value has a metric `trace`, of whichever trace.
pub(crate) fn has_trace_metric(value: &[u8]) -> bool {
    metrics(value).any(|metric| kept_trace(metric).is_some())
}

/// Returns the value without the metric `trace`; empty where there is no other metric.
pub(crate) fn without_trace_metrics(value: &[u8]) -> Vec<u8> {
    let mut rest = Vec::new();
    for metric in metrics(value).filter(|metric| kept_trace(metric).is_none()) {
        if !rest.is_empty() {
            rest.extend_from_slice(b", ");
        }
        rest.extend_from_slice(metric);
    }
    rest
}

/// Returns the metrics in order; a comma within quotes separates nothing.
fn metrics(value: &[u8]) -> impl Iterator<Item = &[u8]> {
    let mut is_quoted = false;
    let mut is_escaped = false;
    value
        .split(move |byte| {
            let was_escaped = core::mem::take(&mut is_escaped);
            match byte {
                b'\\' if is_quoted && !was_escaped => is_escaped = true,
                b'"' if !was_escaped => is_quoted = !is_quoted,
                _ => {}
            }
            *byte == b',' && !is_quoted
        })
        .map(trim)
        .filter(|metric| !metric.is_empty())
}

/// Parses the metric `trace`: its trace id, and true if the sampled flag is set.
fn kept_trace(metric: &[u8]) -> Option<(TraceId, bool)> {
    let mut parts = scan::split(metric, b';').map(trim);
    if !parts.next()?.eq_ignore_ascii_case(b"trace") {
        return None;
    }
    let description = parts.find_map(|param| {
        let equals = scan::position(param, b'=')?;
        let (name, value) = param.split_at_checked(equals)?;
        trim(name)
            .eq_ignore_ascii_case(b"desc")
            .then(|| trim(value.strip_prefix(b"=").unwrap_or(value)))
    })?;
    let description = description
        .strip_prefix(b"\"")
        .and_then(|inside| inside.strip_suffix(b"\""))
        .unwrap_or(description);
    let mut fields = scan::split(description, b'-');
    let (version, trace_id, span_id, flags) = (
        fields.next()?,
        fields.next()?,
        fields.next()?,
        fields.next()?,
    );
    let is_whole = version == b"00" && fields.next().is_none();
    SpanId::from_hex(span_id).ok().filter(|_| is_whole)?;
    let flags = crate::codec::hex::byte_from_hex(flags)?;
    Some((TraceId::from_hex(trace_id).ok()?, flags & 1 != 0))
}

const METRIC_BYTES: usize = 72;

#[cfg(test)]
mod tests {
    use super::*;
    use alloc::format;
    use alloc::string::String;

    const T: &str = "4bf92f3577b34da6a3ce929d0e0e4736";
    const S: &str = "00f067aa0ba902b7";

    fn ids() -> (TraceId, SpanId) {
        let trace_id = TraceId::from_hex(T.as_bytes()).unwrap();
        (trace_id, SpanId::from_hex(S.as_bytes()).unwrap())
    }

    #[test]
    fn what_is_said_is_understood() {
        let (trace_id, span_id) = ids();
        let word = with_kept_trace(trace_id, span_id, None);
        assert_eq!(word, format!("trace;desc=00-{T}-{S}-01").as_bytes());
        assert!(contains_kept(&word, trace_id) && has_trace_metric(&word));
        let beside = with_kept_trace(trace_id, span_id, Some(b"db;dur=53, app;desc=\"a, b\""));
        let text = String::from_utf8(beside.clone()).unwrap();
        assert_eq!(
            text,
            format!("trace;desc=00-{T}-{S}-01, db;dur=53, app;desc=\"a, b\"")
        );
        assert_eq!(
            without_trace_metrics(&beside),
            b"db;dur=53, app;desc=\"a, b\""
        );
        let again = with_kept_trace(trace_id, span_id, Some(&beside));
        assert_eq!(again, beside, "one word a trace");
    }

    #[test]
    fn a_word_counts_only_for_its_trace_and_with_its_flag() {
        let (trace_id, _) = ids();
        let other = T.replace('4', "5");
        for (value, is_kept, is_trace_metric) in [
            (format!("trace;desc=00-{T}-{S}-01"), true, true),
            (
                format!("db;dur=1,  trace ; desc = \"00-{T}-{S}-03\" ;x=y"),
                true,
                true,
            ),
            (format!("Trace;dur=1;DESC=00-{T}-{S}-01"), true, true),
            (format!("trace;desc=00-{T}-{S}-00"), false, true),
            (format!("trace;desc=00-{other}-{S}-01"), false, true),
            (
                format!("trace;desc=00-{other}-{S}-01, trace;desc=00-{T}-{S}-01"),
                true,
                true,
            ),
            (format!("trace;desc=01-{T}-{S}-01"), false, false),
            (format!("trace;desc=00-{T}-{S}-01-x"), false, false),
            (format!("trace;desc=00-{T}-{S}"), false, false),
            (format!("traces;desc=00-{T}-{S}-01"), false, false),
            (
                format!("app;desc=\"x, trace;desc=00-{T}-{S}-01\""),
                false,
                false,
            ),
            // A backslash escapes within quotes, and itself; outside of them it is nothing.
            (
                format!("app;desc=\"x\\\\\", trace;desc=00-{T}-{S}-01"),
                true,
                true,
            ),
            (format!("app\\\", trace;desc=00-{T}-{S}-01\""), false, false),
            (
                format!("app;desc=\"x\\\", trace;desc=00-{T}-{S}-01, y\""),
                false,
                false,
            ),
            (
                format!("app;desc=\"x, trace;desc=00-{T}-{S}-01, y\""),
                false,
                false,
            ),
            ("trace".into(), false, false),
            ("trace;desc=".into(), false, false),
            (",;=,\"".into(), false, false),
            (String::new(), false, false),
        ] {
            assert_eq!(
                contains_kept(value.as_bytes(), trace_id),
                is_kept,
                "{value}"
            );
            assert_eq!(
                has_trace_metric(value.as_bytes()),
                is_trace_metric,
                "{value}"
            );
        }
    }

    #[test]
    fn never_panics_on_any_bytes() {
        let (trace_id, span_id) = ids();
        for byte in 0..=255_u8 {
            for value in [&[byte][..], &[b't', byte, b'"'], &[b'"', b'\\', byte, b',']] {
                contains_kept(value, trace_id);
                with_kept_trace(trace_id, span_id, Some(value));
            }
        }
    }
}
