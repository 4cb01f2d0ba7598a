//! The section `$.spans`: names, attributes and resource of spans.

use alloc::borrow::ToOwned;
use alloc::format;
use alloc::string::String;
use alloc::vec::Vec;

use super::request_match::template;
use crate::config::cursor::Cursor;
use crate::config::suggest::nearest;
use crate::semconv::names::AttributeKey;
use crate::semconv::settings::{Conventions, CustomAttribute, Spans};

impl Spans {
    pub(in crate::config) fn read(at: Cursor<'_>) -> Self {
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
            "routes" => {
                at.list("templates", MAX_ROUTES, |at| {
                    spans.routes.extend(template(at));
                });
            }
            "attributes" => spans.attributes = CustomAttribute::read_list(at),
            "resource" => spans.resource = resource(at),
            "omit" => {
                at.list("names of attributes", MAX_NAMES, |at| {
                    spans.omit.extend(omitted(at));
                });
            }
            "conventions" => {
                spans.conventions = at.choice(&CONVENTIONS).unwrap_or(spans.conventions);
            }
            "redactQuery" => {
                at.list("keys", MAX_NAMES, |at| {
                    let key = at.non_empty("a key of a query");
                    spans.redact_query.extend(key.map(ToOwned::to_owned));
                });
            }
            _ => spans.access_log = at.boolean().unwrap_or(spans.access_log),
        });
        if let (Some(_), Some(resource)) = (&spans.service_name, at.get("resource"))
            && let Some(at) = resource.get("service.name")
        {
            at.error("spans.serviceName says it too; leave one of them out");
        }
        spans
    }
}

/// Reads the name of an attribute to omit. Another name than the filter's own is refused, because it would omit
/// nothing, and the reader of a privacy policy would not know.
fn omitted(at: Cursor<'_>) -> Option<String> {
    let name = at.non_empty("the name of an attribute")?;
    if AttributeKey::named(name).is_none() {
        let known = AttributeKey::ALL.map(AttributeKey::name);
        let cure = match nearest(name, &known) {
            Some(near) => format!("; did you mean `{near}`?"),
            None => "; one of spans.attributes is left out by not listing it there".to_owned(),
        };
        at.error(format!(
            "{} is no attribute that can be left out{cure}",
            at.describe()
        ));
    }
    Some(name.into())
}

/// Reads attributes of the resource, in the order of the document.
fn resource(at: Cursor<'_>) -> Vec<(String, String)> {
    let mut resource = Vec::new();
    at.map(MAX_NAMES, |name, at| {
        if name.is_empty() {
            at.error("expected the name of an attribute, found an empty key");
        } else if name.starts_with("telemetry.sdk.") || name.starts_with("sidespan.") {
            at.error(format!(
                "{name} is an attribute of the filter's own; choose another name"
            ));
        }
        // The names are the user's, and so may the values be.
        let value = at.secret("a string");
        resource.extend(value.map(|value| (name.into(), value.into())));
    });
    resource
}

/// The words of `$.spans.conventions`.
pub const CONVENTIONS: [(&str, Conventions); 3] = [
    ("stable", Conventions::Stable),
    ("old", Conventions::Old),
    ("both", Conventions::Both),
];
/// Entries of `$.spans.routes`, at most.
pub const MAX_ROUTES: usize = 256;
/// Entries of the other lists and of the resource, at most.
pub const MAX_NAMES: usize = 64;
