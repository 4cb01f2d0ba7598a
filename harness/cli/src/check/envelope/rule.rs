//! The rules beyond types and bounds: CEL expressions of the definitions, and checks of Istio's own webhook.

use super::cure::one_of;
use super::patch;
use super::schema::{Pattern, Rule};
use super::url;
use crate::check::input::document::Document;

/// Returns the key below the value that breaks a rule (empty for the value itself), and the sentence.
pub(super) fn broken(rule: Rule, value: &Document) -> Option<(&'static str, String)> {
    let has = |key: &str| value.get(key).is_some_and(|value| *value != Document::Null);
    let text = |key: &str| value.get(key).and_then(Document::text).unwrap_or_default();
    let own = value.text().unwrap_or_default();
    let broken = |key, message: &str| Some((key, message.to_owned()));
    match rule {
        Rule::OneTarget(keys) => {
            let mut present = keys.iter().copied().filter(|key| has(key));
            let (first, second) = (present.next()?, present.next()?);
            Some((
                second,
                format!(
                    "not beside `{first}`, for a resource has one of the two: labels choose sidecars and gateways, \
                     `targetRefs` waypoints and gateways of the Gateway API"
                ),
            ))
        }
        Rule::OneOf(keys) => {
            let mut present = keys.iter().copied().filter(|key| has(key));
            let (first, second) = (present.next()?, present.next()?);
            let all = one_of(keys);
            Some((second, format!("not beside `{first}`; give one of {all}")))
        }
        Rule::WasmOrLua if !has("wasm") && !has("lua") => broken(
            "wasm",
            "missing; `url`, `pluginConfig` and all else of the module belong into it",
        ),
        Rule::NoWildcard if own.contains('*') => {
            broken("", "expected no *, for a selector compares whole values")
        }
        Rule::NoWildcardKey if any_key(value, |key| key.contains('*')) => {
            broken("", "expected no * in the name of a label")
        }
        Rule::NoEmptyKey if any_key(value, str::is_empty) => {
            broken("", "expected no empty name of a label")
        }
        Rule::OwnNamespace if !own.is_empty() => broken(
            "",
            "leave it out, for Istio attaches only what is in the same namespace",
        ),
        Rule::TargetKind => target_kind(text("kind"), text("group")),
        Rule::Url => url::broken(own).map(|message| ("", message)),
        Rule::OneDigest if is_pinned_twice(text("url"), text("sha256")) => broken(
            "sha256",
            "another digest than the one in `url`, and an agent refuses an image that does not have both; leave one of the \
             two out",
        ),
        Rule::EnvValue if text("valueFrom") == "HOST" && has("value") => broken(
            "value",
            "not beside valueFrom: HOST, which takes the proxy's own; leave one of the two out",
        ),
        Rule::WaypointContext => match (text("context") == "WAYPOINT", has("waypoint")) {
            (true, false) => broken("waypoint", "missing; with context WAYPOINT it is the match"),
            (false, true) => broken("waypoint", "only with context: WAYPOINT"),
            _ => None,
        },
        Rule::WaypointPort
            if value
                .number()
                .is_some_and(|port| !(1.0..=65535.0).contains(&port)) =>
        {
            broken("", "expected a port from 1 to 65535")
        }
        Rule::TagUpsert if text("operation") == "UPSERT" && text("value").is_empty() => {
            broken("value", "missing; operation UPSERT sets the tag to it")
        }
        Rule::TagRemove if text("operation") == "REMOVE" && has("value") => {
            broken("value", "not with operation REMOVE; leave it out")
        }
        Rule::Duration if milliseconds(own).is_none_or(|time| time < 1.0) => {
            broken("", "expected a duration of at least 1ms, such as 15s")
        }
        Rule::WholePatch => patch::incomplete(value),
        Rule::InstallingPatch => patch::installs_nowhere(value),
        _ => None,
    }
}

fn any_key(value: &Document, is_it: impl Fn(&str) -> bool) -> bool {
    matches!(value, Document::Object(pairs) if pairs.iter().any(|(key, _)| is_it(key)))
}

/// Returns true if two pins of an image differ, each of which is right by itself.
fn is_pinned_twice(url: &str, sha256: &str) -> bool {
    let in_url = url::digest(url).unwrap_or_default();
    is_sha256(in_url) && is_sha256(sha256) && in_url != sha256
}

/// Judges a target by the kinds that Istio's webhook takes (`allowedTargetRefs`).
fn target_kind(kind: &str, group: &str) -> Option<(&'static str, String)> {
    const GATEWAY_API: &str = "gateway.networking.k8s.io";
    let groups = match kind {
        // The type of `kind` is judged elsewhere.
        "" => return None,
        "Service" => &["", "core"][..],
        "ServiceEntry" => &["networking.istio.io"],
        "Gateway" | "GatewayClass" => &[GATEWAY_API],
        _ => {
            let kinds = one_of(&["Gateway", "GatewayClass", "Service", "ServiceEntry"]);
            return Some(("kind", format!("expected {kinds}")));
        }
    };
    (!groups.contains(&group)).then(|| {
        let cure = match groups {
            ["", ..] => "leave it out, for a Service has no group".to_owned(),
            _ => format!("expected {}, the group of {kind}", groups.join("")),
        };
        ("group", cure)
    })
}

/// Returns the milliseconds of a duration as Go writes it: `1m30s`.
fn milliseconds(text: &str) -> Option<f64> {
    let mut rest = text;
    let mut sum = 0.0;
    while !rest.is_empty() {
        let digits = rest.find(|letter: char| !letter.is_ascii_digit() && letter != '.')?;
        let (number, behind) = rest.split_at(digits);
        let letters = behind
            .find(|letter: char| letter.is_ascii_digit() || letter == '.')
            .unwrap_or(behind.len());
        let (unit, behind) = behind.split_at(letters);
        let factor = match unit {
            "h" => 3_600_000.0,
            "m" => 60_000.0,
            "s" => 1_000.0,
            "ms" => 1.0,
            "us" | "µs" => 1e-3,
            "ns" => 1e-6,
            _ => return None,
        };
        sum += number.parse::<f64>().ok()? * factor;
        rest = behind;
    }
    Some(sum)
}

impl Pattern {
    /// Returns the sentence on a text that has not this form.
    pub(super) fn broken(self, text: &str) -> Option<&'static str> {
        match self {
            Self::Group if text.is_empty() || is_subdomain(text) => None,
            Self::Group => Some("expected an API group, such as gateway.networking.k8s.io"),
            Self::ResourceName if is_subdomain(text) => None,
            Self::ResourceName => {
                Some("expected lower-case letters, digits, - and ., as in sidespan-edge")
            }
            Self::Kind if is_kind(text) => None,
            Self::Kind => Some("expected a kind, such as Gateway"),
            Self::Sha256 if text.is_empty() || is_sha256(text) => None,
            Self::Sha256 if text.starts_with("sha256:") => {
                Some("expected 64 hexadecimal digits alone; leave `sha256:` out")
            }
            Self::Sha256 => Some("expected 64 hexadecimal digits in lower case"),
        }
    }
}

fn is_subdomain(text: &str) -> bool {
    let is_label = |label: &str| {
        let inner = |letter: u8| letter.is_ascii_lowercase() || letter.is_ascii_digit();
        let bytes = label.as_bytes();
        bytes.first().is_some_and(|first| inner(*first))
            && bytes.last().is_some_and(|last| inner(*last))
            && bytes.iter().all(|letter| inner(*letter) || *letter == b'-')
    };
    text.split('.').all(is_label)
}

fn is_kind(text: &str) -> bool {
    let bytes = text.as_bytes();
    bytes.first().is_some_and(u8::is_ascii_alphabetic)
        && bytes.last().is_some_and(u8::is_ascii_alphanumeric)
        && bytes
            .iter()
            .all(|letter| letter.is_ascii_alphanumeric() || *letter == b'-')
}

fn is_sha256(text: &str) -> bool {
    let is_digit = |letter: u8| letter.is_ascii_digit() || (b'a'..=b'f').contains(&letter);
    text.len() == 64 && text.bytes().all(is_digit)
}
