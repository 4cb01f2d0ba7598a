//! Cures for mistakes that come from other products and other forms, added to the parser's own sentences.
//!
//! The parser says what it expected, and the cure of its own mistakes: a misspelt key, a missing unit. What is meant by
//! Istio's or OpenTelemetry's words is said here, because the filter's module would carry these sentences into every
//! worker of every proxy. A found value is repeated only as the parser has already quoted it, which it does under its own
//! keys alone.

/// Returns the message of the error at a path of a configuration, with the cure if it is a known mistake.
pub(super) fn cured(path: &str, message: String) -> String {
    if message.starts_with(UNKNOWN) {
        return match word(path) {
            Some(cure) => format!("{UNKNOWN}; {cure}"),
            None => message,
        };
    }
    let Some((expected, found)) = message.rsplit_once(", found ") else {
        return message;
    };
    // A cure of the parser's own comes behind the found value.
    let has_cure = match found.strip_prefix('"') {
        Some(rest) => !rest.ends_with('"'),
        None => found.contains(';'),
    };
    if has_cure {
        return message;
    }
    match cure(path, expected, found) {
        Some(cure) => format!("{message}; {cure}"),
        None => message,
    }
}

/// Returns the cure for a key that another product has.
fn word(path: &str) -> Option<&'static str> {
    let words = WORDS.iter().find(|(paths, _)| paths.contains(&path));
    words.map(|(_, cure)| *cure)
}

fn cure(path: &str, expected: &str, found: &str) -> Option<String> {
    let text = text(found);
    let key = path.rsplit(['.', ']']).next().unwrap_or_default();
    if let Some(number) = text.and_then(|text| text.trim().strip_suffix('%'))
        && expected.starts_with("expected a percentage")
        && number.trim().parse::<f64>().is_ok()
    {
        return Some(format!("leave the % and any quotes out: {}", number.trim()));
    }
    if is_format(path) {
        return format_cure(text?);
    }
    if let Some(what) = expected.strip_prefix("expected a list of ") {
        let entries: Vec<_> = text?
            .split([',', ' '])
            .filter(|entry| !entry.is_empty())
            .map(|entry| match what {
                "matches" => as_match(entry),
                _ => plain(entry),
            })
            .collect();
        return Some(format!("write a list: [{}]", entries.join(", ")));
    }
    if expected != "expected an object" {
        return None;
    }
    if path.ends_with(']') && path.contains(".exclude[") {
        return Some(format!("write {}", as_match(text?)));
    }
    if path == "$.sampling" && found.parse::<f64>().is_ok() {
        return Some(format!("write {{percentage: {found}}}"));
    }
    let (_, form) = FORMS.iter().find(|(name, _)| *name == key)?;
    Some(format!("write {form}"))
}

/// Returns true for an entry of a list of formats.
fn is_format(path: &str) -> bool {
    ["$.propagation.inject[", "$.propagation.extract["]
        .iter()
        .any(|list| path.starts_with(list))
}

fn format_cure(text: &str) -> Option<String> {
    let word = text.to_ascii_lowercase();
    if word == "baggage" {
        return Some("baggage is no format and passes by itself; leave it out".into());
    }
    if word == "none" {
        return Some("for none, write []".into());
    }
    if word.contains(',') {
        return Some("write each as an entry of its own".into());
    }
    let (_, format) = FORMATS.iter().find(|(other, _)| *other == word)?;
    Some(format!("did you mean `{format}`?"))
}

/// Returns the text between the quotes, if it is whole and needs no escapes.
fn text(found: &str) -> Option<&str> {
    let text = found.strip_prefix('"')?.strip_suffix('"')?;
    (!text.contains(['\\', '…', '"'])).then_some(text)
}

/// Returns the condition that a path or a user agent alone means.
fn as_match(text: &str) -> String {
    let key = match text.starts_with(['/', '*']) {
        true => "path",
        false => "userAgent",
    };
    format!("{{{key}: {}}}", plain(text))
}

/// Returns text as YAML has it inside of brackets.
fn plain(text: &str) -> String {
    let is_plain = text.starts_with(|first: char| first.is_ascii_alphabetic() || first == '/')
        && text
            .bytes()
            .all(|byte| byte.is_ascii_alphanumeric() || b"/._*-".contains(&byte));
    match is_plain {
        true => text.into(),
        false => format!("{text:?}"),
    }
}

const UNKNOWN: &str = "unknown key";

/// Keys of Istio's, of the Operator's and of the Collector's, and what is meant by them.
const WORDS: [(&[&str], &str); 6] = [
    (
        &["$.tracing", "$.randomSamplingPercentage", "$.percentage"],
        "the percentage of new traces is sampling.percentage here",
    ),
    (
        &[
            "$.sampling.randomSamplingPercentage",
            "$.sampling.sampling",
            "$.sampling.traceSampling",
            "$.sampling.default",
        ],
        "the percentage of new traces is sampling.percentage here",
    ),
    (
        &[
            "$.sampling.ratio",
            "$.sampling.probability",
            "$.sampling.argument",
        ],
        "here it is sampling.percentage, in percent: a ratio of 0.05 is 5",
    ),
    (
        &[
            "$.otlp",
            "$.collector",
            "$.endpoint",
            "$.export.endpoint",
            "$.export.service",
            "$.export.cluster",
        ],
        "the collector is export.otlp here: {service: HOST, port: 4317}",
    ),
    (
        &[
            "$.export.otlp.endpoint",
            "$.export.otlp.url",
            "$.export.otlp.host",
            "$.export.otlp.address",
        ],
        "the host alone is service here, and the port is port",
    ),
    (&["$.inject", "$.extract"], "it belongs below propagation"),
];

/// Other names of formats.
const FORMATS: [(&str, &str); 18] = [
    ("w3c", "tracecontext"),
    ("w3ctracecontext", "tracecontext"),
    ("w3c_trace_context", "tracecontext"),
    ("traceparent", "tracecontext"),
    ("tracestate", "tracecontext"),
    ("otel", "tracecontext"),
    ("zipkin", "b3multi"),
    ("b3single", "b3"),
    ("b3-single", "b3"),
    ("multi", "b3multi"),
    ("uber-trace-id", "jaeger"),
    ("aws", "xray"),
    ("x-amzn-trace-id", "xray"),
    ("dd", "datadog"),
    ("opentracing", "ottrace"),
    ("opencensus", "grpc-trace-bin"),
    ("google", "gcp"),
    ("cloud_trace_context", "gcp"),
];

/// Objects whose keys the user names, and others that are mistaken for single values.
const FORMS: [(&str, &str); 6] = [
    ("namespaces", "names and percentages: {payments: 50}"),
    ("headers", "names and values: {x-tenant: shop}"),
    ("labels", "names and patterns: {app: cart}"),
    (
        "resource",
        "names and values: {deployment.environment.name: prod}",
    ),
    (
        "otlp",
        "{service: otel-collector.observability.svc.cluster.local, port: 4317}",
    ),
    ("rateLimit", "{tracesPerSecond: 10}"),
];
