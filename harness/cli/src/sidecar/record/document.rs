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
