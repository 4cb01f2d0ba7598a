//! The section `$.spans.attributes`: configured attributes and their sources.
//!
//! Headers that carry secrets are refused by whichever source (RD-3).

use alloc::format;
use alloc::string::String;
use alloc::vec::Vec;

use crate::config::cursor::Cursor;
use crate::semconv::names::AttributeKey;
use crate::semconv::settings::{AttributeSource, CustomAttribute};

impl CustomAttribute {
    pub(in crate::config) fn read_list(at: Cursor<'_>) -> Vec<Self> {
        let mut attributes: Vec<Self> = Vec::new();
        at.list("attributes", MAX_ATTRIBUTES, |at| {
            let Some(attribute) = Self::read(at) else {
                return;
            };
            if attributes.iter().any(|other| other.name == attribute.name)
                && let Some(name) = at.get("name")
            {
                name.error(format!(
                    "{} is there already; a span has each attribute once",
                    name.describe()
                ));
            }
            attributes.push(attribute);
        });
        attributes
    }

    /// Reads one attribute; `None` where it has an error.
    fn read(at: Cursor<'_>) -> Option<Self> {
        let mut sources = 0_usize;
        let mut name = None;
        let mut source = None;
        let mut default = None;
        let is_object = at.object(&KEYS, |key, at| {
            sources = sources.saturating_add(usize::from(SOURCES.contains(&key)));
            let text = |expected| at.non_empty(expected).map(String::from);
            let read = match key {
                "name" => {
                    name = own_name(at);
                    None
                }
                "default" => {
                    default = at.secret("a string").map(String::from);
                    None
                }
                "requestHeader" => header(at).map(AttributeSource::RequestHeader),
                "responseHeader" => header(at).map(AttributeSource::ResponseHeader),
                "literal" => at
                    .secret("a string")
                    .map(|text| AttributeSource::Literal(text.into())),
                "environment" => {
                    text("the name of an environment variable").map(AttributeSource::Environment)
                }
                "property" => property(at).map(AttributeSource::Property),
                _ => text("a key of the baggage").map(AttributeSource::Baggage),
            };
            source = read.or(source.take());
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
        Some(Self {
            name: name?,
            source: source?,
            default,
        })
    }
}

/// Returns the attributes of the filter's own that can be left out, by their stable and their old names.
pub fn names() -> Vec<&'static str> {
    let keys = AttributeKey::ALL.iter();
    keys.flat_map(|key| core::iter::once(key.name()).chain(key.old_names().iter().copied()))
        .collect()
}

fn own_name(at: Cursor<'_>) -> Option<String> {
    let name = at.non_empty("the name of an attribute")?;
    if name.starts_with("sidespan.")
        || OTHERS.contains(&name)
        || AttributeKey::named(name).is_some()
    {
        at.error(format!(
            "{name} is an attribute of the filter's own; choose another name"
        ));
    }
    Some(name.into())
}

fn header(at: Cursor<'_>) -> Option<String> {
    let name = at.text_for("the name of a header")?;
    if is_denied(name) {
        at.error(format!(
            "the header {name} carries secrets and is never recorded"
        ));
    } else {
        at.header_name(name);
    }
    Some(name.into())
}

/// Reads the path of a property, and returns it with NUL in place of dots.
fn property(at: Cursor<'_>) -> Option<String> {
    let path = at.non_empty(PROPERTY)?;
    let segments: Vec<&str> = path.split('.').collect();
    if segments.iter().any(|segment| segment.is_empty())
        || path.contains(|character: char| character.is_control())
    {
        at.expected(PROPERTY);
    }
    let is_query = matches!(
        segments.as_slice(),
        ["request", "path" | "query"] | ["request", "headers", ":path"]
    );
    if is_query {
        at.error(format!(
            "{path} may carry secrets, and is recorded as url.path and url.query, those left out; \
             request.url_path is the path alone"
        ));
    } else if let ["request" | "response", "headers" | "trailers", rest @ ..] = segments.as_slice()
    {
        match rest {
            [] => at.error("these are all headers; name one"),
            [name, ..] if is_denied(name) => at.error(format!(
                "the header {name} carries secrets and is never recorded"
            )),
            _ => {}
        }
    }
    Some(segments.join("\0"))
}

fn is_denied(name: &str) -> bool {
    DENIED
        .iter()
        .any(|denied| denied.eq_ignore_ascii_case(name))
}

const KEYS: [&str; 8] = [
    "name",
    "requestHeader",
    "responseHeader",
    "literal",
    "environment",
    "property",
    "baggage",
    "default",
];
/// The keys of an attribute that say where its value comes from.
pub const SOURCES: [&str; 6] = [
    "requestHeader",
    "responseHeader",
    "literal",
    "environment",
    "property",
    "baggage",
];
/// Headers that are never recorded.
pub const DENIED: [&str; 5] = [
    "authorization",
    "cookie",
    "set-cookie",
    "x-api-key",
    "proxy-authorization",
];
/// Attributes besides [`names`] that the filter writes by itself, or may come to write.
pub const OTHERS: [&str; 3] = ["client.port", "network.protocol.name", "sampling.priority"];
const PROPERTY: &str = "the dotted path of a property such as xds.cluster_name";
/// Entries of `$.spans.attributes`, at most.
pub const MAX_ATTRIBUTES: usize = 64;
