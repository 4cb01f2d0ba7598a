//! A recording as a scenario of `sidespan run`, in the order in which a reader wants its keys.

use std::collections::BTreeMap;

use serde::Serialize;
use serde_json::Value;

use crate::run::chain::Described;

/// A scenario.
#[derive(Clone, Debug, Serialize)]
#[serde(rename_all = "camelCase")]
pub(super) struct Scenario {
    pub(super) name: String,
    pub(super) protocol: &'static str,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(super) buffer_limit: Option<usize>,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(super) node: Option<Value>,
    pub(super) filters: Vec<Described>,
    pub(super) requests: Vec<Step>,
    #[serde(skip_serializing_if = "BTreeMap::is_empty")]
    pub(super) calls: BTreeMap<String, Vec<Answer>>,
}

/// One exchange.
#[derive(Clone, Debug, Serialize)]
pub(super) struct Step {
    pub(super) name: String,
    pub(super) direction: &'static str,
    pub(super) request: Request,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(super) response: Option<Response>,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(super) ending: Option<&'static str>,
    pub(super) expect: Expect,
}

/// A request.
#[derive(Clone, Debug, Serialize)]
pub(super) struct Request {
    pub(super) method: String,
    pub(super) scheme: String,
    pub(super) authority: String,
    pub(super) path: String,
    #[serde(flatten)]
    pub(super) rest: Rest,
}

/// A response.
#[derive(Clone, Debug, Serialize)]
pub(super) struct Response {
    pub(super) status: u16,
    #[serde(flatten)]
    pub(super) rest: Rest,
}

/// Headers, body and trailers.
#[derive(Clone, Debug, Default, Serialize)]
pub(super) struct Rest {
    #[serde(skip_serializing_if = "BTreeMap::is_empty")]
    pub(super) headers: Fields,
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub(super) chunks: Vec<Value>,
    #[serde(skip_serializing_if = "BTreeMap::is_empty")]
    pub(super) trailers: Fields,
}

/// Header fields: text, a list of texts, or null.
pub(super) type Fields = BTreeMap<String, Value>;

/// The answer to one call.
#[derive(Clone, Debug, Default, PartialEq, Serialize)]
pub(super) struct Answer {
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(super) status: Option<u16>,
    #[serde(skip_serializing_if = "BTreeMap::is_empty")]
    pub(super) headers: Fields,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(super) body: Option<Value>,
    #[serde(skip_serializing_if = "BTreeMap::is_empty")]
    pub(super) trailers: Fields,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(super) fault: Option<&'static str>,
}

/// Expectations on one exchange.
#[derive(Clone, Debug, Default, Serialize)]
#[serde(rename_all = "camelCase")]
pub(super) struct Expect {
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(super) reaches_upstream: Option<bool>,
    #[serde(skip_serializing_if = "BTreeMap::is_empty")]
    pub(super) upstream: Fields,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(super) upstream_body: Option<String>,
    #[serde(skip_serializing_if = "BTreeMap::is_empty")]
    pub(super) upstream_trailers: Fields,
    #[serde(skip_serializing_if = "BTreeMap::is_empty")]
    pub(super) downstream: Fields,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(super) downstream_body: Option<String>,
    #[serde(skip_serializing_if = "BTreeMap::is_empty")]
    pub(super) downstream_trailers: Fields,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(super) reset: Option<bool>,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(super) details: Option<String>,
}

impl Step {
    /// Leaves out trailers, which scenarios over HTTP/1.1 have none of.
    pub(super) fn drop_trailers(&mut self) {
        self.request.rest.trailers.clear();
        if let Some(response) = &mut self.response {
            response.rest.trailers.clear();
        }
        self.expect.upstream_trailers.clear();
        self.expect.downstream_trailers.clear();
    }
}

impl Expect {
    /// Weakens the expectation of this name, because it does not hold in a replay: of a header only that it is there remains,
    /// and if that does not hold either, nothing. Returns false if there is none of the name.
    pub(super) fn weaken(&mut self, name: &str) -> bool {
        let (part, header) = name
            .split_once('.')
            .map_or((name, None), |(part, header)| (part, Some(header)));
        let fields = match part {
            "reachesUpstream" => return self.reaches_upstream.take().is_some(),
            "upstreamBody" => return self.upstream_body.take().is_some(),
            "downstreamBody" => return self.downstream_body.take().is_some(),
            "reset" => return self.reset.take().is_some(),
            "details" => return self.details.take().is_some(),
            "upstream" => &mut self.upstream,
            "upstreamTrailers" => &mut self.upstream_trailers,
            "downstream" => &mut self.downstream,
            "downstreamTrailers" => &mut self.downstream_trailers,
            _ => return false,
        };
        let Some(header) = header else {
            let was_there = !fields.is_empty();
            fields.clear();
            return was_there;
        };
        match fields.get_mut(header) {
            Some(value @ Value::String(_)) if *value != "*" && !header.starts_with(':') => {
                *value = Value::String("*".into());
                true
            }
            Some(_) => fields.remove(header).is_some(),
            None => false,
        }
    }
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    #[test]
    fn an_expectation_that_does_not_hold_is_weakened_and_then_left_out() {
        let fields = |pairs: &[(&str, Value)]| -> Fields {
            let pairs = pairs.iter().cloned();
            pairs
                .map(|(name, value)| (name.to_owned(), value))
                .collect()
        };
        let mut expect = Expect {
            upstream: fields(&[("x-id", json!("1")), ("x-gone", Value::Null)]),
            downstream: fields(&[(":status", json!("200"))]),
            details: Some("via_upstream".into()),
            ..Expect::default()
        };
        assert!(expect.weaken("upstream.x-id"));
        assert_eq!(expect.upstream["x-id"], "*");
        assert!(expect.weaken("upstream.x-id") && expect.weaken("upstream.x-gone"));
        assert!(expect.upstream.is_empty());
        // A status that only is there says nothing.
        assert!(expect.weaken("downstream.:status") && expect.downstream.is_empty());
        assert!(expect.weaken("details") && expect.details.is_none());
        for name in ["details", "upstream", "upstream.x-id", "flags"] {
            assert!(!expect.weaken(name), "{name}");
        }
    }
}
