//! A trace of `/api/traces`: translated, and unless it is asked for as it came, enriched as Jaeger does: tags sorted, skewed
//! clocks and broken references told.

use std::collections::{BTreeMap, HashMap};
use std::net::Ipv4Addr;

use opentelemetry_proto::tonic::trace::v1::ResourceSpans;

use super::sanitize::sanitize;
use super::shared_ids;
use super::skew::{self, Node};
use super::span::{Process, RefType, Reference, Span, Trace};
use super::tag::{Tag, TagValue, sort};
use super::translate::{process, span};

/// Makes a trace of its spans.
pub(super) fn trace(mut data: Vec<ResourceSpans>, is_raw: bool) -> Trace {
    sanitize(&mut data);
    if !is_raw {
        shared_ids::separate(&mut data);
    }
    let mut spans = Vec::new();
    let mut processes = Vec::new();
    let mut nanos = Vec::new();
    for resource_spans in &data {
        let process = process(resource_spans.resource.as_ref());
        for scope_spans in &resource_spans.scope_spans {
            for own in &scope_spans.spans {
                spans.push(span(own, scope_spans.scope.as_ref()));
                processes.push(process.clone());
                let (start, end) = (own.start_time_unix_nano, own.end_time_unix_nano);
                nanos.push((start.cast_signed(), end.saturating_sub(start).cast_signed()));
            }
        }
    }
    if !is_raw {
        enrich(&mut spans, &mut processes, &nanos);
    }
    let mut table = Table::default();
    for (span, process) in spans.iter_mut().zip(processes) {
        span.process_id = table.id(process);
    }
    let first = spans.first().map(|span| span.trace_id.clone());
    Trace {
        trace_id: first.unwrap_or_default(),
        spans,
        processes: table.processes,
        warnings: None,
    }
}

/// The processes of a trace, each once.
#[derive(Default)]
struct Table {
    ids: HashMap<String, String>,
    processes: BTreeMap<String, Process>,
}

impl Table {
    fn id(&mut self, process: Process) -> String {
        let key = serde_json::to_string(&process).unwrap_or_default();
        let next = format!("p{}", self.ids.len() + 1);
        let id = self.ids.entry(key).or_insert(next).clone();
        self.processes.entry(id.clone()).or_insert(process);
        id
    }
}

fn enrich(spans: &mut [Span], processes: &mut [Process], nanos: &[(i64, i64)]) {
    for (span, process) in spans.iter_mut().zip(processes.iter_mut()) {
        sort(&mut span.tags);
        sort(&mut process.tags);
        for log in &mut span.logs {
            sort_fields(&mut log.fields);
        }
    }
    let nodes = spans.iter().zip(processes.iter()).zip(nanos);
    let nodes: Vec<Node> = nodes
        .map(|((span, process), (start, duration))| Node {
            id: number(&span.span_id),
            parent: parent(span).map_or(0, |it| number(&it.span_id)),
            start: *start,
            duration: *duration,
            host: host(process),
        })
        .collect();
    for (at, warning) in skew::warnings(&nodes, missing) {
        if let Some(span) = spans.get_mut(at) {
            span.warnings.get_or_insert_default().push(warning);
        }
    }
    for (span, process) in spans.iter_mut().zip(processes.iter_mut()) {
        span.tags.iter_mut().for_each(name_address);
        process.tags.iter_mut().for_each(name_address);
        move_library(span, process);
        remove_invalid(span);
        put_parent_first(span);
    }
}

/// Sorts the fields of a log, the name of the event first.
fn sort_fields(fields: &mut [Tag]) {
    let is_name = |tag: &Tag| tag.key == "event" && matches!(tag.value, TagValue::Text(_));
    match fields.iter().position(is_name) {
        None => sort(fields),
        Some(at) => {
            fields.swap(0, at);
            sort(fields.get_mut(1..).unwrap_or_default());
        }
    }
}

/// Returns the reference to a span's parent: the first that says so, else the first to a span of the same trace.
fn parent(span: &Span) -> Option<&Reference> {
    let own = || {
        let all = span.references.iter();
        all.filter(|it| it.trace_id == span.trace_id)
    };
    let child = own().find(|it| it.ref_type == RefType::ChildOf);
    child.or_else(|| own().next())
}

/// Returns the host that Jaeger's own clients name.
fn host(process: &Process) -> String {
    let ip = process.tags.iter().find(|tag| tag.key == "ip");
    match ip.map(|tag| &tag.value) {
        Some(TagValue::Text(text)) => text.clone(),
        Some(TagValue::Int(number)) => address(*number),
        Some(TagValue::Binary(bytes)) => match (
            <[u8; 4]>::try_from(&bytes[..]),
            <[u8; 16]>::try_from(&bytes[..]),
        ) {
            (Ok(four), _) => Ipv4Addr::from(four).to_string(),
            (_, Ok(sixteen)) => std::net::Ipv6Addr::from(sixteen).to_string(),
            _ => String::new(),
        },
        _ => String::new(),
    }
}

/// Writes an address that a number is as text.
fn name_address(tag: &mut Tag) {
    if matches!(tag.key.as_str(), "ip" | "peer.ipv4")
        && let TagValue::Int(number) = tag.value
    {
        tag.value = TagValue::Text(address(number));
    }
}

fn address(number: i64) -> String {
    let [.., a, b, c, d] = number.to_be_bytes();
    Ipv4Addr::from([a, b, c, d]).to_string()
}

/// Moves what a span tells of its library to the process.
fn move_library(span: &mut Span, process: &mut Process) {
    let is_library = |tag: &mut Tag| LIBRARY.contains(&tag.key.as_str());
    let moved: Vec<Tag> = span.tags.extract_if(.., is_library).collect();
    if !moved.is_empty() {
        process.tags.extend(moved);
        sort(&mut process.tags);
    }
}

fn remove_invalid(span: &mut Span) {
    let is_invalid = |it: &mut Reference| it.trace_id == NO_TRACE;
    for removed in span.references.extract_if(.., is_invalid) {
        let kind = removed.ref_type.name();
        let warning = format!(
            "Invalid span reference removed {{TraceID:{} SpanID:{} RefType:{kind} XXX_NoUnkeyedLiteral:{{}} XXX_unrecognized:[] XXX_sizecache:0}}",
            removed.trace_id, removed.span_id
        );
        span.warnings.get_or_insert_default().push(warning);
    }
}

fn put_parent_first(span: &mut Span) {
    let found = parent(span).cloned();
    let at = span
        .references
        .iter()
        .position(|it| Some(it) == found.as_ref());
    if let Some(at) = at {
        span.references.swap(0, at);
    }
}

fn missing(parent: u64) -> String {
    format!("invalid parent span IDs={parent:016x}; skipping clock skew adjustment")
}

fn number(digits: &str) -> u64 {
    u64::from_str_radix(digits, 16).unwrap_or_default()
}

/// The attributes that tell of the library that made a span.
pub(super) const LIBRARY: [&str; 5] = [
    "telemetry.sdk.language",
    "telemetry.sdk.name",
    "telemetry.sdk.version",
    "telemetry.distro.name",
    "telemetry.distro.version",
];
/// The id of no trace, as Jaeger writes it.
const NO_TRACE: &str = "0000000000000000";
