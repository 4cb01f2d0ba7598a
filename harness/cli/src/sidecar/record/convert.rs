//! An exchange of a recording as a step of a scenario, without its credentials.

use std::collections::BTreeSet;

use serde_json::{Value, json};
use sidespan_host::{Ending, Headers};

use super::body;
use super::document::{Answer, Expect, Fields, Request, Response, Rest, Step};
use super::redactor::Redactor;
use crate::sidecar::protocol::Protocol;
use crate::sidecar::tape::{Call, Exchange, Message};

/// A converter of exchanges.
pub(super) struct Converter {
    pub(super) redactor: Redactor,
    /// The configurations of the filters, and the values of their variables. What a filter takes from there is not written.
    pub(super) settings: Vec<String>,
    pub(super) direction: &'static str,
}

/// Returns why an exchange is no step of a scenario; `None` if it is one.
pub(super) fn unfit(exchange: &Exchange) -> Option<&'static str> {
    let messages = [
        &exchange.request,
        &exchange.upstream,
        &exchange.response,
        &exchange.downstream,
    ];
    let has_response = exchange.response.headers.is_some();
    match exchange.end.as_ref().map(|(ending, _)| ending) {
        None => Some("not over at the end"),
        _ if exchange.is_websocket => Some("WebSockets"),
        _ if !messages.iter().all(|message| message.is_kept()) => {
            Some("with a body of more than 64 KiB")
        }
        Some(Ending::ClientAbort) if has_response || !exchange.request.is_complete => {
            Some("broken off by the client in the middle")
        }
        Some(Ending::UpstreamTermination | Ending::UpstreamProtocolError) => {
            Some("broken off by the upstream in a way that scenarios lack")
        }
        _ => None,
    }
}

impl Converter {
    pub(super) fn step(&mut self, exchange: &Exchange) -> Step {
        let headers = exchange.request.headers.clone().unwrap_or_default();
        let text = |name: &str| headers.text(name).unwrap_or_default();
        let path = pattern(&self.redactor.url(&text(":path")));
        let name = path.split('?').next().unwrap_or_default();
        let name = format!("{} {name}", text(":method"));
        let request = Request {
            method: text(":method"),
            scheme: text(":scheme"),
            authority: pattern(&self.redactor.authority(&text(":authority"))),
            rest: self.rest(&exchange.request),
            path,
        };
        let response = exchange.response.headers.as_ref().map(|headers| Response {
            status: status(headers),
            rest: self.rest(&exchange.response),
        });
        let mut step = Step {
            name,
            direction: self.direction,
            request,
            response,
            ending: ending(exchange),
            expect: self.expect(exchange),
        };
        if exchange.protocol == Protocol::Http1 {
            step.drop_trailers();
        }
        step
    }

    /// Returns the answer to a call of a filter.
    pub(super) fn answer(&mut self, call: &Call) -> Answer {
        let Some(message) = &call.answer else {
            return Answer {
                fault: Some("reset"),
                ..Answer::default()
            };
        };
        let Rest {
            mut headers,
            mut chunks,
            trailers,
        } = self.rest(message);
        // The host and Envoy write this themselves.
        headers.remove("x-envoy-upstream-service-time");
        Answer {
            status: message.headers.as_ref().map(status),
            headers,
            body: chunks.pop(),
            trailers,
            fault: None,
        }
    }

    fn rest(&mut self, message: &Message) -> Rest {
        let body = body::written(message, &mut self.redactor);
        let headers = message.headers.as_ref();
        let mut headers = headers.map_or_else(Fields::new, |headers| self.fields(headers));
        for name in OF_A_CONNECTION {
            headers.remove(*name);
        }
        headers.retain(|name, _| !name.starts_with(':'));
        if body.length != message.length && headers.contains_key("content-length") {
            headers.insert("content-length".into(), json!(body.length.to_string()));
        }
        let trailers = message.trailers.as_ref();
        Rest {
            headers,
            chunks: body.chunks,
            trailers: trailers.map_or_else(Fields::new, |trailers| self.fields(trailers)),
        }
    }

    fn expect(&mut self, exchange: &Exchange) -> Expect {
        let Exchange {
            request,
            upstream,
            response,
            downstream,
            end,
            ..
        } = exchange;
        let ended = end.as_ref().and_then(|(_, ended)| ended.as_ref());
        let details = ended.and_then(|ended| ended.details.clone());
        let is_refused = matches!(end, Some((Ending::ConnectFailure, _)));
        let mut expect = Expect {
            reaches_upstream: (!is_refused).then_some(upstream.is_complete),
            reset: ended
                .map(|ended| ended.is_reset)
                .filter(|is_reset| *is_reset),
            details: details
                .filter(|details| !details.is_empty() && !self.is_setting(details))
                .map(|details| pattern(&self.redactor.text(&details))),
            ..Expect::default()
        };
        if upstream.is_complete && !is_refused {
            expect.upstream = self.changes(request.headers.as_ref(), upstream.headers.as_ref());
            expect.upstream_body = self.body(upstream);
            expect.upstream_trailers =
                self.changes(request.trailers.as_ref(), upstream.trailers.as_ref());
        }
        if let Some(headers) = &downstream.headers {
            // A local reply is the filter's, or the proxy's, and nothing was changed in it.
            let before = response.headers.as_ref().or(Some(headers));
            expect.downstream = self.changes(before, Some(headers));
            let status = headers.text(":status").unwrap_or_default();
            expect.downstream.insert(":status".into(), json!(status));
            expect.downstream_body = self.body(downstream).filter(|_| downstream.is_complete);
            expect.downstream_trailers =
                self.changes(response.trailers.as_ref(), downstream.trailers.as_ref());
        }
        expect
    }

    /// Returns what a filter has changed in headers or trailers.
    fn changes(&mut self, before: Option<&Headers>, after: Option<&Headers>) -> Fields {
        let empty = Headers::new();
        let (before, after) = (before.unwrap_or(&empty), after.unwrap_or(&empty));
        let all = before.iter().chain(after.iter());
        let names: BTreeSet<&[u8]> = all.map(|(name, _)| name).collect();
        let mut changes = Fields::new();
        for name in names {
            let is_same = before.all(name).eq(after.all(name));
            let name = String::from_utf8_lossy(name).into_owned();
            let is_codecs = name == "content-length" || OF_A_CONNECTION.contains(&name.as_str());
            if !is_same && !is_codecs {
                changes.insert(name.clone(), self.values(&name, after, true));
            }
        }
        changes
    }

    /// Returns all headers but those that the codec writes.
    fn fields(&mut self, headers: &Headers) -> Fields {
        let names: BTreeSet<&[u8]> = headers.iter().map(|(name, _)| name).collect();
        let names = names.into_iter();
        let names = names.map(|name| String::from_utf8_lossy(name).into_owned());
        names
            .map(|name| {
                let values = self.values(&name, headers, false);
                (name, values)
            })
            .collect()
    }

    /// Returns all values of a header; null if there is none. Of what a filter has from its settings, only that it is there.
    fn values(&mut self, name: &str, headers: &Headers, is_expectation: bool) -> Value {
        let values = headers.all(name).map(|value| {
            let text = String::from_utf8_lossy(value);
            if is_expectation && self.is_setting(&text) {
                return json!("*");
            }
            let written = match name {
                ":path" => self.redactor.url(&text),
                ":authority" => self.redactor.authority(&text),
                _ => self.redactor.header(name, value),
            };
            json!(pattern(&written))
        });
        let mut values: Vec<Value> = values.collect();
        match values.len() {
            0 => Value::Null,
            1 => values.remove(0),
            _ => Value::Array(values),
        }
    }

    /// Returns the body that is expected; `None` if nothing certain can be said of it.
    fn body(&mut self, message: &Message) -> Option<String> {
        let text = body::written(message, &mut self.redactor).text?;
        let is_short = text.len() <= EXPECTED_LENGTH && !self.is_setting(&text);
        is_short.then(|| pattern(&text))
    }

    fn is_setting(&self, value: &str) -> bool {
        value.len() >= SETTING_LENGTH && self.settings.iter().any(|setting| setting.contains(value))
    }
}

/// Returns a text as a pattern that means just this text.
pub(super) fn pattern(text: &str) -> String {
    let mut written = String::new();
    for letter in text.chars() {
        match letter {
            '{' => written.push_str("{{"),
            '}' => written.push_str("}}"),
            '*' => written.push_str("{*}"),
            other => written.push(other),
        }
    }
    written
}

fn status(headers: &Headers) -> u16 {
    let status = headers.text(":status");
    status.and_then(|status| status.parse().ok()).unwrap_or(200)
}

fn ending(exchange: &Exchange) -> Option<&'static str> {
    let has_response = exchange.response.headers.is_some();
    match exchange.end.as_ref()?.0 {
        Ending::ClientAbort => Some("clientAbort"),
        Ending::UpstreamReset if has_response => Some("responseReset"),
        Ending::UpstreamReset => Some("upstreamReset"),
        Ending::ConnectFailure => Some("connectFailure"),
        Ending::UpstreamTimeout => Some("upstreamTimeout"),
        _ => None,
    }
}

/// Headers that a codec writes by itself.
const OF_A_CONNECTION: &[&str] = &["connection", "expect", "transfer-encoding", "upgrade"];

/// The longest body that is expected.
const EXPECTED_LENGTH: usize = 4 * 1024;

/// Length from which a value of a setting is recognised.
const SETTING_LENGTH: usize = 6;
