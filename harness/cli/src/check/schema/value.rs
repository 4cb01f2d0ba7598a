//! The values that keys take, as schemas: each function is a reading function of the parser.

use std::collections::BTreeMap;
use std::ops::RangeInclusive;
use std::time::Duration;

use serde_json::{Value, json};
use sidespan_core::config::{ANY_DURATION, MAX_HOST, PORTS, SMALLEST_PERCENTAGE, Shown, UNITS};

use super::number::between;

/// A schema, and the sentence, the default and the rules that are added to it.
#[derive(Clone, Debug)]
pub(super) struct Schema(Value);

impl Schema {
    /// Adds the sentence that an editor shows.
    pub(super) fn says(self, text: &str) -> Self {
        self.with("description", text)
    }

    /// Adds the value that holds where the key is left out.
    pub(super) fn default(self, value: impl Into<Value>) -> Self {
        self.with("default", value)
    }

    /// Adds an example.
    pub(super) fn example(self, value: impl Into<Value>) -> Self {
        self.with("examples", vec![value.into()])
    }

    /// Adds a keyword.
    pub(super) fn with(mut self, keyword: &str, value: impl Into<Value>) -> Self {
        self.0[keyword] = value.into();
        self
    }

    /// Adds keys that must be there.
    pub(super) fn requires(self, keys: &[&str]) -> Self {
        self.with("required", keys)
    }

    /// Adds a schema that holds besides.
    pub(super) fn rule(mut self, rule: Value) -> Self {
        match self.0["allOf"].as_array_mut() {
            Some(rules) => rules.push(rule),
            None => self.0["allOf"] = json!([rule]),
        }
        self
    }

    /// Returns the schema as JSON.
    pub(super) fn into_value(self) -> Value {
        self.0
    }
}

/// Describes an object with these keys and no others.
pub(super) fn object<const N: usize>(keys: [(&str, Schema); N]) -> Schema {
    let properties: BTreeMap<_, _> = keys
        .into_iter()
        .map(|(key, schema)| (key, schema.0))
        .collect();
    Schema(json!({"type": "object", "properties": properties, "additionalProperties": false}))
}

/// Describes an object whose keys the user names.
pub(super) fn map(names: Schema, values: Schema, most: usize) -> Schema {
    Schema(json!({
        "type": "object",
        "propertyNames": names.0,
        "additionalProperties": values.0,
        "maxProperties": most,
    }))
}

/// Describes a list of different values.
pub(super) fn list(items: Schema, most: usize) -> Schema {
    Schema(json!({"type": "array", "items": items.0, "maxItems": most, "uniqueItems": true}))
}

/// Describes one of two forms.
pub(super) fn either(one: Schema, other: Schema) -> Schema {
    Schema(json!({"anyOf": [one.0, other.0]}))
}

/// Describes `true` or `false`.
pub(super) fn boolean() -> Schema {
    Schema(json!({"type": "boolean"}))
}

/// Describes text, which may be empty.
pub(super) fn text() -> Schema {
    Schema(json!({"type": "string"}))
}

/// Describes text that is not empty.
pub(super) fn non_empty() -> Schema {
    text().with("minLength", 1)
}

/// Describes text of a form, which `expected` names to people, because a regular expression explains nothing.
pub(super) fn form(pattern: &str, expected: &str) -> Schema {
    // Editors built on VS Code's JSON service show it; validators ignore keywords that they do not know.
    text()
        .with("pattern", pattern)
        .with("patternErrorMessage", format!("expected {expected}"))
}

/// Describes one of a few words.
pub(super) fn words<T>(words: &[(&'static str, T)]) -> Schema {
    one_of(words.iter().map(|(word, _)| *word))
}

/// Describes one of these words.
pub(super) fn one_of(words: impl IntoIterator<Item = &'static str>) -> Schema {
    text().with("enum", words.into_iter().collect::<Vec<_>>())
}

/// Describes a whole number; `512.0` is one.
pub(super) fn integer(limits: &RangeInclusive<u64>) -> Schema {
    Schema(json!({"type": "integer", "minimum": limits.start(), "maximum": limits.end()}))
}

/// Describes a percentage: 0, or at least the probability of the greatest threshold.
pub(super) fn percentage() -> Schema {
    Schema(json!({
        "type": "number",
        "minimum": 0,
        "maximum": 100,
        "not": {"exclusiveMinimum": 0, "exclusiveMaximum": SMALLEST_PERCENTAGE},
    }))
}

/// Describes a rate in events a second.
pub(super) fn rate() -> Schema {
    Schema(json!({"type": "number", "minimum": 0}))
}

/// Describes a duration of the usual limits.
pub(super) fn any_duration() -> Schema {
    duration(&ANY_DURATION)
}

/// Describes a duration within limits: a whole number and its unit.
pub(super) fn duration(limits: &RangeInclusive<Duration>) -> Schema {
    let (least, most) = (milliseconds(limits.start()), milliseconds(limits.end()));
    let expected = format!(
        "a duration from {} to {} such as \"5s\"",
        Shown(*limits.start()),
        Shown(*limits.end())
    );
    form(&with_unit(least, most, &UNITS), &expected)
}

/// Returns a duration as a configuration has it.
pub(super) fn shown(duration: Duration) -> String {
    Shown(duration).to_string()
}

/// Describes a number of bytes, or a whole number and its unit.
pub(super) fn size(limits: &RangeInclusive<u64>) -> Schema {
    let (least, most) = (*limits.start(), *limits.end());
    let expected = format!("a size from {least} to {most} bytes such as \"8MiB\"");
    // The limits are for the number, the pattern for the text.
    form(&with_unit(least, most, &SIZES), &expected)
        .with("type", vec!["integer", "string"])
        .with("minimum", least)
        .with("maximum", most)
}

/// Describes the name of a host, without scheme and port.
pub(super) fn host() -> Schema {
    form(
        r"^[0-9A-Za-z_-]+(\.[0-9A-Za-z_-]+)*$",
        "the name of a host such as otel-collector.observability.svc.cluster.local, without scheme and port",
    )
    .with("maxLength", MAX_HOST)
}

/// Describes the name of an Envoy cluster.
pub(super) fn cluster() -> Schema {
    // Control characters and white space, as Unicode has them.
    let spaces = r"\u0000-\u0020\u007F-\u00A0\u1680\u2000-\u200A\u2028\u2029\u202F\u205F\u3000";
    form(
        &format!("^[^{spaces}]+$"),
        "the name of a cluster, without spaces",
    )
}

/// Describes the authority of a request to a server: a host, and a port if there is one.
pub(super) fn authority() -> Schema {
    let port = format!("0*({})", between(*PORTS.start(), *PORTS.end()));
    let (name, bracketed) = ("[0-9A-Za-z._-]", r"[0-9A-Za-z._\[\]-]");
    let with_colons = r"[0-9A-Za-z._:\[\]-]";
    let forms = [
        format!("{name}{{1,{MAX_HOST}}}(:{port})?"),
        // The colons of an IPv6 address stand in brackets; behind the last one is a port, unless a bracket ends it.
        format!(r"(?=.{{1,{MAX_HOST}}}$)\[({bracketed}*|{with_colons}*:{bracketed}*\])"),
        format!(r"(?=.{{1,{MAX_HOST}}}:[0-9]+$)\[{with_colons}*:{port}"),
    ];
    form(
        &format!("^({})$", forms.join("|")),
        "a host with or without a port such as otlp.example.com:443",
    )
}

/// Describes the path of a request to a server.
pub(super) fn request_path() -> Schema {
    form(
        r#"^/[!"$-~]*$"#,
        "a path that begins with /, without spaces and #",
    )
}

/// Describes the name of a header.
pub(super) fn header_name() -> Schema {
    form(
        r"^[!#$%&'*+.^_`|~0-9a-z-]+$",
        "the name of a header, in lower case",
    )
}

/// Adds the rule that a server is either a service with a port or a cluster.
pub(super) fn service_or_cluster(server: Schema) -> Schema {
    server.with(
        "oneOf",
        json!([
            {"required": ["service"], "properties": {"cluster": false}},
            {"required": ["cluster"], "properties": {"service": false, "port": false}},
        ]),
    )
}

/// Returns an expression for numbers with a unit, such that the product is within limits.
fn with_unit(least: u64, most: u64, units: &[(&str, u64)]) -> String {
    let forms: Vec<_> = units
        .iter()
        .filter_map(|(unit, length)| {
            let (least, most) = (least.div_ceil(*length), most / length);
            (least <= most).then(|| format!("({}){unit}", between(least, most)))
        })
        .collect();
    format!("^0*({})$", forms.join("|"))
}

fn milliseconds(duration: &Duration) -> u64 {
    u64::try_from(duration.as_millis()).unwrap_or(u64::MAX)
}

/// The units of sizes, in bytes.
const SIZES: [(&str, u64); 3] = [("B", 1), ("KiB", 1 << 10), ("MiB", 1 << 20)];
