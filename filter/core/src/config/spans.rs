//! `$.spans`: what spans say.

use alloc::format;
use alloc::string::String;

use super::Spans;
use super::matching::template;
use super::walk::At;

/// An entry of `$.spans.attributes`.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Attribute {
    /// The attribute's name.
    pub name: String,
    /// Where its value comes from.
    pub source: AttributeSource,
    /// The value where there is none.
    pub default: Option<String>,
}

/// Where the value of an attribute comes from.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum AttributeSource {
    /// The value of this key of the W3C Baggage that the request came with.
    Baggage(String),
}

impl Spans {
    pub(super) fn read(at: At<'_>) -> Self {
        let mut spans = Self::default();
        let known = [
            "serviceName",
            "routes",
            "attributes",
            "resource",
            "omit",
            "conventions",
            "redactQuery",
            "accessLog",
        ];
        at.object(&known, |key, at| match key {
            "serviceName" => {
                spans.service_name = at.text().filter(|name| !name.is_empty()).map(Into::into);
            }
            "routes" => at.only(0, at.list("templates", MAX_ROUTES, template)),
            "attributes" => {
                at.list("attributes", MAX_ATTRIBUTES, |at| {
                    spans.attributes.extend(attribute(at));
                });
            }
            "resource" => resource(at),
            "omit" => at.only(
                0,
                at.list("names of attributes", MAX_ATTRIBUTES, |at| {
                    at.filled("the name of an attribute");
                }),
            ),
            "conventions" => at.only(0, at.choice(&[("stable", 0), ("old", 1), ("both", 2)])),
            "redactQuery" => at.only(
                0,
                at.list("keys", MAX_ATTRIBUTES, |at| {
                    at.filled("a key of a query");
                }),
            ),
            _ => at.only(false, at.boolean()),
        });
        spans
    }
}

/// Reads one attribute; `None` where it is wrong or its source is not in this version.
fn attribute(at: At<'_>) -> Option<Attribute> {
    let mut sources = 0_usize;
    let mut is_built = true;
    let mut name = None;
    let mut baggage = None;
    let mut default = None;
    let is_object = at.object(&ATTRIBUTE, |key, at| {
        let is_source = SOURCES.contains(&key);
        sources = sources.saturating_add(usize::from(is_source));
        is_built &= !is_source || key == "baggage";
        match key {
            "name" => {
                let text = at.filled("the name of an attribute");
                if let Some(ours) = text.filter(|name| is_ours(name)) {
                    at.error(format!(
                        "{ours} is an attribute of the filter's own; choose another name"
                    ));
                }
                name = text.map(Into::into);
            }
            "requestHeader" | "responseHeader" => header(at),
            "literal" => {
                at.secret("a string");
            }
            "default" => default = at.secret("a string").map(Into::into),
            "environment" => {
                at.filled("the name of an environment variable");
            }
            "property" => {
                at.filled("the dotted path of a property such as xds.cluster_name");
            }
            _ => baggage = at.filled("a key of the baggage").map(Into::into),
        }
    });
    if !is_built {
        at.not_built();
    }
    if is_object {
        at.required("name");
        if sources != 1 {
            at.error(format!(
                "expected one source of {}, found {sources}",
                SOURCES.join(", ")
            ));
        }
    }
    Some(Attribute {
        name: name?,
        source: AttributeSource::Baggage(baggage?),
        default,
    })
}

/// RD-3: what opens doors is not recorded, whoever asks for it.
fn header(at: At<'_>) {
    let Some(name) = at.text_for("the name of a header") else {
        return;
    };
    if DENIED
        .iter()
        .any(|denied| denied.eq_ignore_ascii_case(name))
    {
        at.error(format!(
            "the header {name} carries secrets and is never recorded"
        ));
    } else {
        at.header_name(name);
    }
}

fn resource(at: At<'_>) {
    let mut count = 0_usize;
    at.names(MAX_ATTRIBUTES, |name, at| {
        count = count.saturating_add(1);
        if name.is_empty() {
            at.error("expected the name of an attribute, found an empty key");
        }
        at.text();
    });
    at.only(0, Some(count));
}

fn is_ours(name: &str) -> bool {
    name.starts_with("sidespan.") || OURS.contains(&name)
}

const SOURCES: [&str; 6] = [
    "requestHeader",
    "responseHeader",
    "literal",
    "environment",
    "property",
    "baggage",
];
const ATTRIBUTE: [&str; 8] = [
    "name",
    "requestHeader",
    "responseHeader",
    "literal",
    "environment",
    "property",
    "baggage",
    "default",
];
const DENIED: [&str; 5] = [
    "authorization",
    "cookie",
    "set-cookie",
    "x-api-key",
    "proxy-authorization",
];
/// The attributes of HTTP spans in the semantic conventions, which the filter finds out by itself.
const OURS: [&str; 22] = [
    "client.address",
    "client.port",
    "error.type",
    "http.request.method",
    "http.request.method_original",
    "http.request.resend_count",
    "http.response.status_code",
    "http.route",
    "network.peer.address",
    "network.peer.port",
    "network.protocol.name",
    "network.protocol.version",
    "rpc.method",
    "rpc.response.status_code",
    "rpc.system.name",
    "server.address",
    "server.port",
    "url.full",
    "url.path",
    "url.query",
    "url.scheme",
    "user_agent.original",
];
const MAX_ROUTES: usize = 256;
const MAX_ATTRIBUTES: usize = 64;
