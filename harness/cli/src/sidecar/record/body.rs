//! A body as it may be written: JSON and forms field by field, and everything else as the letter x, as often as it had bytes,
//! because nothing certain can be said of it.

use serde_json::{Value, json};
use sidespan_host::Headers;

use super::redactor::Redactor;
use crate::sidecar::tape::Message;

/// A body that may be written.
pub(super) struct Body {
    /// Its chunks, as a scenario has them.
    pub(super) chunks: Vec<Value>,
    /// Its text, if it is one that a filter would produce again.
    pub(super) text: Option<String>,
    /// Its length.
    pub(super) length: usize,
}

/// Returns the body of a message.
pub(super) fn written(message: &Message, redactor: &mut Redactor) -> Body {
    let bytes = message.chunks.concat();
    let found = message
        .headers
        .as_ref()
        .and_then(|headers| readable(headers, &bytes, redactor));
    match found {
        Some(text) if text.as_bytes() == bytes => Body {
            chunks: pieces(message, |chunk| {
                std::str::from_utf8(chunk).ok().map(|text| json!(text))
            })
            .unwrap_or_else(|| vec![json!(text)]),
            length: text.len(),
            text: Some(text),
        },
        Some(text) => Body {
            chunks: vec![json!(text)],
            length: text.len(),
            text: Some(text),
        },
        None => Body {
            chunks: pieces(message, |chunk| Some(hidden(chunk))).unwrap_or_default(),
            text: bytes.is_empty().then(String::new),
            length: bytes.len(),
        },
    }
}

/// Returns the text of JSON or of a form without its credentials; `None` if the body is something else.
fn readable(headers: &Headers, bytes: &[u8], redactor: &mut Redactor) -> Option<String> {
    let encoding = headers.text("content-encoding");
    if encoding.is_some_and(|encoding| !encoding.eq_ignore_ascii_case("identity")) {
        return None;
    }
    let kind = headers.text("content-type")?.to_ascii_lowercase();
    let text = std::str::from_utf8(bytes).ok()?;
    if kind.contains("json") {
        let value: Value = serde_json::from_str(text).ok()?;
        let redacted = redactor.json(&value);
        // A field that comes twice is read once, so that nothing is known of the first.
        let is_all = quotes(text) == quotes(&value.to_string());
        return Some(match is_all && redacted == value {
            true => text.to_owned(),
            false => redacted.to_string(),
        });
    }
    kind.starts_with("application/x-www-form-urlencoded")
        .then(|| redactor.pairs(text, '&'))
}

/// Returns the number of quotation marks around the names and texts of a JSON document.
fn quotes(json: &str) -> usize {
    let mut is_escaped = false;
    let marks = json.bytes().filter(|byte| {
        let is_mark = *byte == b'"' && !is_escaped;
        is_escaped = *byte == b'\\' && !is_escaped;
        is_mark
    });
    marks.count()
}

fn pieces(message: &Message, piece: impl Fn(&[u8]) -> Option<Value>) -> Option<Vec<Value>> {
    message.chunks.iter().map(|chunk| piece(chunk)).collect()
}

/// Returns a chunk without its contents. Nothing but zeros, as in an empty message of gRPC, is no contents.
fn hidden(chunk: &[u8]) -> Value {
    match chunk.iter().all(|byte| *byte == 0) {
        true => json!({"hex": hex::encode(chunk)}),
        false => json!({"text": "x", "times": chunk.len()}),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn written(kind: &str, encoding: &str, body: &str) -> (Vec<Value>, Option<String>) {
        let headers = Headers::from([("content-type", kind), ("content-encoding", encoding)]);
        let message = Message::whole(headers, body.as_bytes(), Headers::new());
        let body = super::written(&message, &mut Redactor::default());
        (body.chunks, body.text)
    }

    #[test]
    fn json_and_forms_are_read_and_all_else_is_hidden() {
        let json = "application/json; charset=utf-8";
        let form = "application/x-www-form-urlencoded";
        for (kind, encoding, body, expected) in [
            (
                json,
                "identity",
                "{\"a\": \"\\\"b\"}",
                Some("{\"a\": \"\\\"b\"}"),
            ),
            (
                json,
                "identity",
                "{\"pin\": 12}",
                Some("{\"pin\":\"redacted-1\"}"),
            ),
            // The first of two is not lost from sight.
            (
                json,
                "identity",
                "{\"pin\": \"12\", \"pin\": null}",
                Some("{\"pin\":null}"),
            ),
            (json, "gzip", "{}", None),
            (json, "identity", "{\"pin\": 12", None),
            (form, "identity", "a=b&pin=12", Some("a=b&pin=redacted-1")),
            ("text/plain", "identity", "the pin is 12", None),
        ] {
            let (chunks, text) = written(kind, encoding, body);
            assert_eq!(text.as_deref(), expected, "{body}");
            let hidden = json!({"text": "x", "times": body.len()});
            let chunk = expected.map_or(hidden, |text| json!(text));
            assert_eq!(chunks, [chunk], "{body}");
        }
        assert_eq!(hidden(&[0; 5]), json!({"hex": "0000000000"}));
    }
}
