//! The enrichment of `/api/v3`: that of `/api/traces`, on spans that stay OTLP's. Warnings become an attribute.

use std::collections::BTreeMap;
use std::net::Ipv4Addr;

use opentelemetry_proto::tonic::common::v1::KeyValue;
use opentelemetry_proto::tonic::common::v1::any_value::Value;
use opentelemetry_proto::tonic::resource::v1::Resource;
use opentelemetry_proto::tonic::trace::v1::{ResourceSpans, Span};

use super::sanitize::warn;
use super::shared_ids::{separate, spans};
use super::skew::{self, Node};
use super::trace::LIBRARY;
use super::translate::number;
use super::value::{find, text_of};

/// Enriches the spans of a trace.
pub(super) fn enrich(data: &mut [ResourceSpans]) {
    separate(data);
    for resource_spans in data.iter_mut() {
        sort(&mut resource_spans.resource.get_or_insert_default().attributes);
        for scope_spans in &mut resource_spans.scope_spans {
            sort(&mut scope_spans.scope.get_or_insert_default().attributes);
            scope_spans.spans.iter_mut().for_each(sort_span);
        }
    }
    let nodes = nodes(data);
    let warnings = skew::warnings(&nodes, missing);
    let mut by_span: BTreeMap<usize, Vec<String>> = BTreeMap::new();
    for (at, warning) in warnings {
        by_span.entry(at).or_default().push(warning);
    }
    for (at, span) in spans(data).enumerate() {
        for warning in by_span.remove(&at).unwrap_or_default() {
            warn(span, warning);
        }
    }
    for resource_spans in data {
        let resource = resource_spans.resource.get_or_insert_default();
        resource.attributes.iter_mut().for_each(name_address);
        for span in resource_spans
            .scope_spans
            .iter_mut()
            .flat_map(|it| &mut it.spans)
        {
            span.attributes.iter_mut().for_each(name_address);
            move_library(span, resource);
            remove_invalid(span);
        }
    }
}

fn sort_span(span: &mut Span) {
    sort(&mut span.attributes);
    span.events.sort_by(|a, b| a.name.cmp(&b.name));
    span.events
        .iter_mut()
        .for_each(|it| sort(&mut it.attributes));
    span.links
        .iter_mut()
        .for_each(|it| sort(&mut it.attributes));
}

/// Sorts attributes by key; of several with one key the last stays.
fn sort(attributes: &mut Vec<KeyValue>) {
    let mut sorted = BTreeMap::new();
    for pair in attributes.drain(..) {
        sorted.insert(pair.key.clone(), pair);
    }
    attributes.extend(sorted.into_values());
}

fn nodes(data: &[ResourceSpans]) -> Vec<Node> {
    let mut nodes = Vec::new();
    for resource_spans in data {
        let host = host(resource_spans.resource.as_ref());
        for span in resource_spans.scope_spans.iter().flat_map(|it| &it.spans) {
            let (start, end) = (span.start_time_unix_nano, span.end_time_unix_nano);
            nodes.push(Node {
                id: number(&span.span_id),
                parent: number(&span.parent_span_id),
                start: start.cast_signed(),
                duration: end.saturating_sub(start).cast_signed(),
                host: host.clone(),
            });
        }
    }
    nodes
}

fn host(resource: Option<&Resource>) -> String {
    let attributes = resource.map_or(&[][..], |it| &it.attributes);
    let text = |key| match find(attributes, key) {
        Some(Value::ArrayValue(list)) => {
            let first = list.values.first();
            first.map(|first| text_of(first.value.as_ref()))
        }
        Some(Value::StringValue(text)) => Some(text.clone()),
        _ => None,
    };
    let mut keys = ["host.id", "host.ip", "host.name"].into_iter();
    keys.find_map(text).unwrap_or_default()
}

fn name_address(pair: &mut KeyValue) {
    if matches!(pair.key.as_str(), "ip" | "peer.ipv4")
        && let Some(value) = &mut pair.value
        && let Some(Value::IntValue(number)) = value.value
    {
        let [.., a, b, c, d] = number.to_be_bytes();
        let address = Ipv4Addr::from([a, b, c, d]).to_string();
        value.value = Some(Value::StringValue(address));
    }
}

/// Moves what a span tells of its library to the resource, unless the resource says otherwise.
fn move_library(span: &mut Span, resource: &mut Resource) {
    for key in LIBRARY {
        let Some(at) = span.attributes.iter().position(|pair| pair.key == key) else {
            continue;
        };
        match resource.attributes.iter().find(|pair| pair.key == key) {
            Some(own) if Some(own) != span.attributes.get(at) => {
                let conflict = "conflicting values between Span and Resource for attribute";
                warn(span, format!("{conflict} {key}"));
            }
            Some(_) => drop(span.attributes.remove(at)),
            None => resource.attributes.push(span.attributes.remove(at)),
        }
    }
}

fn remove_invalid(span: &mut Span) {
    let before = span.links.len();
    span.links
        .retain(|link| link.trace_id.iter().any(|byte| *byte != 0));
    for _ in span.links.len()..before {
        warn(span, "Invalid span link removed".to_owned());
    }
}

fn missing(parent: u64) -> String {
    format!("parent span ID={parent:016x} is not in the trace; skipping clock skew adjustment")
}
