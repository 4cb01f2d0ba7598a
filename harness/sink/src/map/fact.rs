//! The facts of spans that a map is made of: sides, names as numbers, pods, weights.

use std::collections::HashMap;
use std::sync::Arc;

use super::peer::{self, PeerKind, peer};
use crate::store::{Outline, Resource, Scope, SpanKind, Value};

/// The number of a name in [`Facts`].
pub(super) type Name = usize;

/// The side of an exchange that a span is of.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Side {
    /// SERVER, CONSUMER.
    Incoming,
    /// CLIENT, PRODUCER.
    Outgoing,
    /// Anything else.
    Inner,
}

/// The facts of one span.
#[derive(Clone, Debug)]
pub(super) struct Fact {
    pub(super) id: u64,
    pub(super) parent: Option<u64>,
    pub(super) side: Side,
    /// True for CONSUMER and PRODUCER.
    pub(super) is_message: bool,
    pub(super) service: Name,
    /// True if a proxy made the span.
    pub(super) is_proxy: bool,
    pub(super) pod: Pod,
    pub(super) start: u64,
    pub(super) end: u64,
    pub(super) is_error: bool,
    /// The requests that the sampling of this one stands for; 0 where it was kept beside the sampling.
    pub(super) weight: f64,
    /// `http.request.resend_count`: the times that the request was sent before; 0 where the attribute is absent.
    pub(super) resends: u64,
    /// The name of whoever an outgoing span calls, and the queue that an incoming message was in.
    pub(super) peer: Option<(PeerKind, Name)>,
}

/// The pod of a span, as far as its resource names it.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub(super) struct Pod {
    uid: Option<Name>,
    name: Option<Name>,
}

impl Pod {
    /// Returns true if both are known to be one pod, false if they are known not to be, and else `None`.
    pub(super) fn is_same(self, other: Self) -> Option<bool> {
        let both = |a: Option<Name>, b: Option<Name>| Some(a? == b?);
        both(self.uid, other.uid).or_else(|| both(self.name, other.name))
    }
}

/// The names of a map, each with its number, and the reader of facts.
#[derive(Debug, Default)]
pub(super) struct Facts {
    numbers: HashMap<String, Name>,
    names: Vec<String>,
    origins: Vec<Origin>,
}

#[derive(Clone, Copy, Debug)]
struct Origin {
    service: Name,
    is_proxy: bool,
    pod: Pod,
}

impl Facts {
    /// Returns a name's text.
    pub(super) fn text(&self, name: Name) -> &str {
        self.names.get(name).map_or("", String::as_str)
    }

    /// Reads the spans of a trace. `origins` must be one list for all traces.
    pub(super) fn read(
        &mut self,
        trace: &[Outline],
        origins: &[(Arc<Resource>, Arc<Scope>)],
    ) -> Vec<Fact> {
        for (resource, scope) in origins.iter().skip(self.origins.len()) {
            let origin = self.origin(resource, scope);
            self.origins.push(origin);
        }
        trace.iter().filter_map(|span| self.fact(span)).collect()
    }

    fn fact(&mut self, span: &Outline) -> Option<Fact> {
        let origin = *self.origins.get(span.origin)?;
        let side = match span.kind {
            SpanKind::Server | SpanKind::Consumer => Side::Incoming,
            SpanKind::Client | SpanKind::Producer => Side::Outgoing,
            _ => Side::Inner,
        };
        let is_message = matches!(span.kind, SpanKind::Consumer | SpanKind::Producer);
        let names_peer = side == Side::Outgoing || span.kind == SpanKind::Consumer;
        let peer = if names_peer { peer(span) } else { None };
        let peer = peer.map(|(kind, name)| (kind, self.number(&name)));
        let resends = span
            .attribute("http.request.resend_count")
            .or_else(|| span.attribute("http.resend_count"));
        let is_kept = span.attribute("sidespan.kept").is_some();
        Some(Fact {
            id: span.span_id,
            parent: span.parent,
            side,
            is_message,
            service: origin.service,
            is_proxy: origin.is_proxy || span.attribute("component") == Some("proxy"),
            pod: origin.pod,
            start: span.start,
            end: span.end,
            is_error: span.is_error,
            weight: if is_kept {
                0.0
            } else {
                weight(&span.trace_state)
            },
            resends: resends.and_then(|text| text.parse().ok()).unwrap_or(0),
            peer: peer
                .filter(|(kind, _)| side == Side::Outgoing || matches!(kind, PeerKind::Queue)),
        })
    }

    fn origin(&mut self, resource: &Resource, scope: &Scope) -> Origin {
        let text = |key| resource.attribute(key).and_then(Value::as_str);
        let sdk = text("telemetry.sdk.name");
        let namespace = text("k8s.namespace.name").unwrap_or_default();
        Origin {
            service: self.number(text("service.name").unwrap_or("unknown_service")),
            is_proxy: sdk.is_some_and(is_proxy) || is_proxy(&scope.name),
            pod: Pod {
                uid: text("k8s.pod.uid").map(|uid| self.number(uid)),
                name: text("k8s.pod.name").map(|pod| self.number(&format!("{namespace}/{pod}"))),
            },
        }
    }

    pub(super) fn number(&mut self, name: &str) -> Name {
        if let Some(number) = self.numbers.get(name) {
            return *number;
        }
        let number = self.names.len();
        self.names.push(name.to_owned());
        self.numbers.insert(name.to_owned(), number);
        number
    }
}

/// Returns true for the names that proxies give to their SDK or scope: Sidespan's and Envoy's own tracer.
fn is_proxy(name: &str) -> bool {
    matches!(name, "sidespan" | "envoy")
}

/// Returns the requests that one sampled request stands for, by the threshold `th` of `ot=` in `tracestate`
/// (OpenTelemetry, "TraceState: Probability Sampling"); 1 where none is told.
fn weight(trace_state: &str) -> f64 {
    let member = trace_state
        .split(',')
        .find_map(|member| member.trim().strip_prefix("ot="));
    let threshold = member.and_then(|fields| {
        let digits = fields.split(';').find_map(|it| it.strip_prefix("th:"))?;
        let is_hex = digits.bytes().all(|digit| digit.is_ascii_hexdigit());
        let is_threshold = is_hex && (1..=14).contains(&digits.len());
        u64::from_str_radix(&format!("{digits:0<14}"), 16)
            .ok()
            .filter(|_| is_threshold)
    });
    match threshold {
        Some(threshold) => f64_of(ALL) / f64_of(ALL - threshold),
        None => 1.0,
    }
}

/// Returns a number of 56 bits with a fraction; the last three are lost, which is a part in 10¹⁶.
fn f64_of(number: u64) -> f64 {
    let [a, b, c, d, e, f, g, h] = number.to_le_bytes();
    let low = u32::from_le_bytes([a, b, c, d]);
    let high = u32::from_le_bytes([e, f, g, h]);
    f64::from(high) * 4_294_967_296.0 + f64::from(low)
}

/// 2⁵⁶, the number of all thresholds.
const ALL: u64 = 1 << 56;

/// The attributes of spans that a map is made of.
pub(super) const KEYS: [&str; peer::KEYS.len() + 4] = {
    let mut keys = [""; peer::KEYS.len() + 4];
    let own = [
        "component",
        "sidespan.kept",
        "http.request.resend_count",
        "http.resend_count",
    ];
    let (mine, others) = keys.split_at_mut(own.len());
    mine.copy_from_slice(&own);
    others.copy_from_slice(&peer::KEYS);
    keys
};

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_threshold_tells_how_many_requests_one_stands_for() {
        for (trace_state, expected) in [
            ("", 1.0),
            ("ot=th:0", 1.0),
            ("ot=th:8", 2.0),
            ("a=b, ot=rv:00000000000001;th:c", 4.0),
            ("ot=th:fd70a3d70a3d71", 100.0),
            ("ot=th:fffffffffffffff", 1.0),
            ("ot=th:g", 1.0),
            ("ot=th:", 1.0),
            ("xot=th:8", 1.0),
        ] {
            let found = weight(trace_state);
            assert!((found - expected).abs() < 1e-9, "{trace_state}: {found}");
        }
        assert!(weight("ot=th:ffffffffffffff").is_finite());
    }

    #[test]
    fn pods_are_compared_by_what_both_know() {
        let pod = |uid, name| Pod { uid, name };
        for (a, b, expected) in [
            (pod(Some(1), Some(2)), pod(Some(1), Some(3)), Some(true)),
            (pod(Some(1), None), pod(Some(2), None), Some(false)),
            (pod(Some(1), Some(2)), pod(None, Some(2)), Some(true)),
            (pod(None, Some(1)), pod(None, Some(2)), Some(false)),
            (pod(Some(1), None), pod(None, Some(1)), None),
            (Pod::default(), pod(Some(1), Some(1)), None),
        ] {
            assert_eq!(a.is_same(b), expected, "{a:?} {b:?}");
            assert_eq!(b.is_same(a), expected, "{a:?} {b:?}");
        }
    }
}
