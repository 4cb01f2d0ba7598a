//! `$.spans`: what spans say.

use alloc::format;

use super::Spans;
use super::matching::template;
use super::walk::At;

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
            "attributes" => at.only(0, at.list("attributes", MAX_ATTRIBUTES, attribute)),
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

fn attribute(at: At<'_>) {
    let mut sources = 0_usize;
    let is_object = at.object(&ATTRIBUTE, |key, at| {
        sources = sources.saturating_add(usize::from(SOURCES.contains(&key)));
        match key {
            "name" => {
                if let Some(name) = at
                    .filled("the name of an attribute")
                    .filter(|name| is_ours(name))
                {
                    at.error(format!(
                        "{name} is an attribute of the filter's own; choose another name"
                    ));
                }
            }
            "requestHeader" | "responseHeader" => header(at),
            "literal" | "default" => {
                at.secret("a string");
            }
            "environment" => {
                at.filled("the name of an environment variable");
            }
            "property" => {
                at.filled("the dotted path of a property such as xds.cluster_name");
            }
            _ => {
                at.filled("a key of the baggage");
            }
        }
    });
    if is_object {
        at.required("name");
        if sources != 1 {
            at.error(format!(
                "expected one source of {}, found {sources}",
                SOURCES.join(", ")
            ));
        }
    }
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
