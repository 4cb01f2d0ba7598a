//! Conversions from a scenario's terms to the host's.

use std::collections::BTreeMap;

use anyhow::Context;
use sidespan_host::{Headers, LogLevel, StreamProperties, Value};

use super::lines::Lines;
use super::passed::Fields;
use super::pattern::{Known, Pattern};
use super::scenario::{Direction, Ending, Level, Protocol, Request, Step};
use crate::check::input::document::Document;

pub(super) fn request_headers(request: &Request, known: &Known) -> anyhow::Result<Headers> {
    let fill = |text: &Pattern| text.fill(known).map_err(anyhow::Error::msg);
    let mut headers = Headers::from([
        (":method", request.method.clone()),
        (":scheme", request.scheme.clone()),
        (":authority", fill(&request.authority)?),
        (":path", fill(&request.path)?),
    ]);
    add(&mut headers, &request.headers, known)?;
    // Envoy's connection manager writes it in front of all filters.
    if headers.get("x-forwarded-proto").is_none() {
        headers.add("x-forwarded-proto", request.scheme.as_str());
    }
    Ok(headers)
}

pub(super) fn add(
    headers: &mut Headers,
    fields: &BTreeMap<String, Lines>,
    known: &Known,
) -> anyhow::Result<()> {
    for (name, lines) in fields {
        for line in &lines.0 {
            let value = line
                .fill(known)
                .map_err(anyhow::Error::msg)
                .with_context(|| format!("header {name}"))?;
            headers.add(name, value);
        }
    }
    Ok(())
}

pub(super) fn fields(headers: &Headers) -> Fields {
    headers
        .iter()
        .map(|(name, value)| (String::from_utf8_lossy(name).into_owned(), value.to_vec()))
        .collect()
}

pub(super) fn properties(step: &Step, protocol: Protocol) -> StreamProperties {
    let direction = match step.direction {
        Direction::None => 0,
        Direction::Inbound => 1,
        Direction::Outbound => 2,
    };
    let spoken = match protocol {
        Protocol::Http1 => "HTTP/1.1",
        Protocol::Http2 => "HTTP/2",
    };
    let properties = StreamProperties::new()
        .set("request.protocol", spoken)
        .listener_direction(direction)
        .source("127.0.0.1", 40000)
        .destination("127.0.0.1", 8080)
        .upstream("127.0.0.1", 8080)
        .set("xds.cluster_name", "upstream")
        .set("xds.virtual_host_name", "*");
    let properties = match step.ending {
        Ending::ConnectFailure => {
            let reason = "delayed connect error: Connection refused";
            let properties = properties.upstream("127.0.0.1", 9);
            properties.set("upstream.transport_failure_reason", reason)
        }
        _ => properties.set("upstream.local_address", "127.0.0.1:40001"),
    };
    step.properties
        .iter()
        .fold(properties, |properties, (path, value)| {
            match property(value) {
                Some(value) => properties.set(path.as_str(), value),
                None => properties,
            }
        })
}

/// Returns the properties of a TCP connection.
pub(super) fn tcp_properties() -> StreamProperties {
    StreamProperties::new()
        .source("127.0.0.1", 40000)
        .destination("127.0.0.1", 8080)
        .upstream("127.0.0.1", 8080)
}

/// Converts a property as Envoy would have it: whole numbers become integers, objects become metadata.
pub(super) fn property(value: &Document) -> Option<Value> {
    Some(match value {
        Document::Null => return None,
        Document::Boolean(value) => (*value).into(),
        Document::Number(number) => match number.as_i64() {
            Some(whole) => whole.into(),
            None => number.as_f64()?.into(),
        },
        Document::String(text) => text.as_str().into(),
        Document::List(list) => Value::List(list.iter().filter_map(property).collect()),
        Document::Object(pairs) => {
            let pairs = pairs
                .iter()
                .filter_map(|(key, value)| Some((key.clone().into_bytes(), property(value)?)));
            Value::Map(pairs.collect())
        }
    })
}

/// Converts a value of the node's metadata, in which every number is a double.
pub(super) fn metadata(value: &Document) -> Option<Value> {
    Some(match value {
        Document::Number(number) => number.as_f64()?.into(),
        Document::List(list) => Value::List(list.iter().filter_map(metadata).collect()),
        Document::Object(pairs) => {
            let pairs = pairs
                .iter()
                .filter_map(|(key, value)| Some((key.clone().into_bytes(), metadata(value)?)));
            Value::Map(pairs.collect())
        }
        other => return property(other),
    })
}

pub(super) fn level(level: Level) -> LogLevel {
    match level {
        Level::Trace => LogLevel::Trace,
        Level::Debug => LogLevel::Debug,
        Level::Info => LogLevel::Info,
        Level::Warn => LogLevel::Warn,
        Level::Error => LogLevel::Error,
        Level::Critical => LogLevel::Critical,
    }
}
