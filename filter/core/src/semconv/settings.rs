//! Settings of spans: their names, attributes, resource and conventions.

use alloc::string::String;
use alloc::vec::Vec;

/// The settings of `$.spans`.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct Spans {
    /// The configured `service.name`.
    pub service_name: Option<String>,
    /// Templates of paths, in order.
    pub routes: Vec<String>,
    /// Attributes besides those of the conventions.
    pub attributes: Vec<CustomAttribute>,
    /// Attributes of the resource, over all others.
    pub resource: Vec<(String, String)>,
    /// Attributes that are left out, by their stable or old names.
    pub omit: Vec<String>,
    /// The conventions that attributes are named by.
    pub conventions: Conventions,
    /// Keys of the query whose values are hidden, besides the conventions' own.
    pub redact_query: Vec<String>,
    /// True if the ids are left for the access log.
    pub access_log: bool,
}

impl Spans {
    /// Returns the names of the environment variables that attributes are made of, each once.
    pub fn variables(&self) -> Vec<&str> {
        let variables = self
            .attributes
            .iter()
            .filter_map(|attribute| match &attribute.source {
                AttributeSource::Environment(name) => Some(name.as_str()),
                _ => None,
            });
        distinct(&mut { variables })
    }
}

/// The conventions that attributes are named by, `$.spans.conventions`.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum Conventions {
    /// OpenTelemetry's semantic conventions 1.44.0.
    #[default]
    Stable,
    /// The conventions of 1.20 for HTTP and of 1.37 for RPC.
    Old,
    /// Both at once.
    Both,
}

/// An entry of `$.spans.attributes`.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct CustomAttribute {
    /// The attribute's name.
    pub name: String,
    /// The source of the attribute's value.
    pub source: AttributeSource,
    /// The value where the source has none.
    pub default: Option<String>,
}

/// The source of an attribute's value.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum AttributeSource {
    /// All lines of this header of the request.
    RequestHeader(String),
    /// All lines of this header of the response.
    ResponseHeader(String),
    /// A fixed value.
    Literal(String),
    /// The environment variable of this name, as the VM has it.
    Environment(String),
    /// A property of the proxy, the segments of its path joined by NUL.
    Property(String),
    /// The value of this key of the W3C Baggage that the request came with.
    Baggage(String),
}

/// Returns the names, each once and in order. A list, because there are few names and a tree would be more code than
/// all of this file.
pub(crate) fn distinct<'a>(names: &mut dyn Iterator<Item = &'a str>) -> Vec<&'a str> {
    let mut distinct = Vec::new();
    for name in names {
        if let Err(place) = distinct.binary_search(&name) {
            distinct.insert(place, name);
        }
    }
    distinct
}

/// The schema of the semantic conventions that names and values follow.
pub const SCHEMA_URL: &str = "https://opentelemetry.io/schemas/1.44.0";

/// Returns the schema of spans by these conventions. Old names are of two versions, and both at once of three: no
/// schema has them all, so a reader is given none (MS-7).
pub fn schema_url(conventions: Conventions) -> &'static str {
    match conventions {
        Conventions::Stable => SCHEMA_URL,
        Conventions::Old | Conventions::Both => "",
    }
}
