//! The document as a whole: JSON or not, repeated keys, the order of errors, and that no document makes the parser
//! panic.

use super::{Config, WHOLE, errors};
use alloc::format;
use alloc::string::String;
use alloc::vec::Vec;

#[test]
fn refuses_what_is_not_json_with_line_and_column() {
    for (json, expected) in [
        (
            "{",
            "$: expected JSON: EOF while parsing an object at line 1 column 1",
        ),
        (
            "{\n  \"a\": }",
            "$: expected JSON: expected value at line 2 column 8",
        ),
        (
            "{} {}",
            "$: expected JSON: trailing characters at line 1 column 4",
        ),
        (
            "{\"direction\": \"auto\",}",
            "$: expected JSON: trailing comma at line 1 column 22",
        ),
        (
            "direction: auto",
            "$: expected JSON: expected value at line 1 column 1",
        ),
        (
            "{1: 2}",
            "$: expected JSON: key must be a string at line 1 column 2",
        ),
        (
            "{\"sampling\": {\"percentage\": NaN}}",
            "$: expected JSON: expected value at line 1 column 29",
        ),
        (
            "{\"sampling\": {\"percentage\": 1e999}}",
            "$: expected JSON: number out of range at line 1 column 33",
        ),
    ] {
        assert_eq!(errors(json), expected, "{json}");
    }
}

/// The encoding of `google.protobuf.Struct` with one string.
fn protobuf_struct(key: &str, text: &str) -> Vec<u8> {
    fn field(tag: u8, content: &[u8]) -> Vec<u8> {
        let mut bytes = Vec::from([tag]);
        let mut length = content.len();
        while length >= 0x80 {
            bytes.push(u8::try_from(length & 0x7f).unwrap() | 0x80);
            length >>= 7;
        }
        bytes.push(u8::try_from(length).unwrap());
        bytes.extend_from_slice(content);
        bytes
    }
    let value = field(0x12, &field(0x1a, text.as_bytes()));
    field(0x0a, &[field(0x0a, key.as_bytes()), value].concat())
}

#[test]
fn names_a_protobuf_struct_and_the_cure() {
    let error = |bytes: &[u8]| format!("{}", Config::parse(bytes).unwrap_err()[0]);
    let long = "a".repeat(200);
    for (key, text) in [("direction", "auto"), ("spans", long.as_str())] {
        assert_eq!(
            error(&protobuf_struct(key, text)),
            "$: expected JSON, found bytes that look like google.protobuf.Struct, which Envoy hands over unread; \
             give the configuration as google.protobuf.StringValue, with the JSON as text in value",
            "{key}"
        );
    }
    for text in [
        "\n",
        "\n\n",
        "\n\n\n",
        "\n\n\n\n\n\ndirection: auto\n",
        "\ndirection: auto\nrole: request\n",
    ] {
        let found = Config::parse(text.as_bytes());
        let is_named = found.is_err_and(|errors| errors[0].message.contains("Struct"));
        assert!(!is_named, "{text:?}");
    }
}

#[test]
fn refuses_bytes_that_are_not_utf8() {
    let found = Config::parse(b"{\"direction\": \"\xff\"}").unwrap_err();
    assert_eq!(
        format!("{}", found[0]),
        "$: expected JSON: invalid unicode code point at line 1 column 16"
    );
    assert!(Config::parse(b"\xff").is_err());
}

#[test]
fn refuses_another_value_than_an_object() {
    for (json, found) in [
        ("[]", "a list"),
        ("null", "null; leave the key out for its default"),
        ("1", "1"),
        // The text may be a whole file of secrets.
        ("\"{}\"", "a string"),
    ] {
        assert_eq!(
            errors(json),
            format!("$: expected an object, found {found}")
        );
    }
}

#[test]
fn refuses_more_than_256_kib() {
    let padding = 256 * 1024 - 2;
    assert_eq!(errors(&format!("{{{}}}", " ".repeat(padding))), "fine");
    assert_eq!(
        errors(&format!("{{{}}}", " ".repeat(padding + 1))),
        "$: expected at most 262144 bytes, found 262145"
    );
}

#[test]
fn refuses_deep_nesting() {
    let deep = "[".repeat(200) + &"]".repeat(200);
    assert_eq!(
        errors(&deep),
        "$: expected JSON: recursion limit exceeded at line 1 column 128"
    );
}

#[test]
fn refuses_repeated_keys_and_reads_both() {
    assert_eq!(
        errors(
            r#"{"direction": "auto", "sampling": {"percentage": 1, "percentage": 101}, "direction": "up"}"#
        ),
        "$.sampling.percentage: repeated key\n\
         $.sampling.percentage: expected a percentage from 0 to 100, found 101\n\
         $.direction: repeated key\n\
         $.direction: expected auto, inbound, outbound or edge, found \"up\""
    );
    assert_eq!(
        errors(r#"{"sampling": {"namespaces": {"a": 1, "a": 1}}}"#),
        "$.sampling.namespaces.a: repeated key"
    );
}

#[test]
fn reports_all_errors_in_the_order_of_the_document() {
    let json = r#"{
      "role": "attempt",
      "export": {
        "queue": {"maxSpans": 100},
        "retry": {"max": "500ms", "initial": "1s"},
        "otlp": {"port": 1, "path": "/x", "cluster": "c", "service": "s", "timeout": 5}
      },
      "direction": 1,
      "sampling": {"percentage": "50", "namespaces": {"team-*": 300, "": 1}, "percantge": 1},
      "correlation": {"requestId": true}
    }"#;
    assert_eq!(
        errors(json),
        r#"$.export.queue.maxSpans: expected at least batch.maxSpans (512), found 100
$.export.retry.max: expected at least initial (1s), found "500ms"
$.export.otlp.path: not with protocol grpc, whose path is fixed; leave it out or set protocol to http/protobuf
$.export.otlp.cluster: not with service; set one of the two
$.export.otlp.timeout: expected a duration from 1ms to 1h such as "5s", found 5; quote it, with its unit ms, s, m or h
$.direction: expected auto, inbound, outbound or edge, found 1; quote it
$.direction: not with role attempt, which takes propagation, spans and export
$.sampling: not with role attempt, which takes propagation, spans and export
$.sampling.percentage: expected a percentage from 0 to 100, found "50"; leave the quotes out
$.sampling.namespaces["team-*"]: expected a percentage from 0 to 100, found 300
$.sampling.namespaces[""]: expected the name of a namespace or a pattern, found an empty key
$.sampling.percantge: unknown key; did you mean `percentage`?
$.correlation: not with role attempt, which takes propagation, spans and export"#
    );
}

#[test]
fn keys_and_values_from_outside_are_made_harmless() {
    let long = "k".repeat(100);
    let short = "k".repeat(64);
    assert_eq!(
        errors(&format!(
            r#"{{"{long}": 1, "a\"b\u0000\n": 1, "a b": 1, "direction": "\u001b{long}"}}"#
        )),
        format!(
            "$[\"{short}…\"]: unknown key; known here: propagation, sampling, trust, correlation, direction, gateway, spans, export, role\n\
             $[\"a\\\"b\\u{{0}}\\n\"]: unknown key; known here: propagation, sampling, trust, correlation, direction, gateway, spans, export, role\n\
             $[\"a b\"]: unknown key; known here: propagation, sampling, trust, correlation, direction, gateway, spans, export, role\n\
             $.direction: expected auto, inbound, outbound or edge, found \"\\u{{1b}}{}…\"",
            "k".repeat(63)
        )
    );
}

#[test]
fn counts_errors_past_a_hundred() {
    let keys: Vec<String> = (0..5_000)
        .map(|number| format!("\"x{number}\": 1"))
        .collect();
    let found = Config::parse(format!("{{{}}}", keys.join(",")).as_bytes()).unwrap_err();
    assert_eq!(found.len(), 101);
    assert_eq!(format!("{}", found[100]), "$: and 4900 more errors");
}

#[test]
fn is_quick_with_a_document_full_of_nonsense() {
    for filling in ["\"b3\",", "{},", "{\"path\":\"/\"},"] {
        let list = filling.repeat(250 * 1024 / filling.len());
        for key in [
            "propagation\":{\"inject",
            "sampling\":{\"exclude",
            "spans\":{\"attributes",
        ] {
            let json = format!("{{\"{key}\":[{}]}}}}", list.trim_end_matches(','));
            assert!(Config::parse(json.as_bytes()).is_err());
        }
    }
}

/// A small generator of its own, so that a failure can be repeated from its number.
struct Random(u64);

impl Random {
    fn below(&mut self, limit: usize) -> usize {
        self.0 ^= self.0 << 13;
        self.0 ^= self.0 >> 7;
        self.0 ^= self.0 << 17;
        usize::try_from(self.0.checked_rem(limit as u64).unwrap()).unwrap()
    }
}

#[test]
fn mutations_of_a_valid_configuration_never_panic() {
    const PIECES: [&str; 16] = [
        "null",
        "true",
        "-1",
        "1e-300",
        "1e308",
        "0.5",
        "512.0",
        "\"\"",
        "\"*\"",
        "\"1h\"",
        "[]",
        "{}",
        "{\"a\":",
        "\"9999999999999999999s\"",
        "18446744073709551615",
        ",",
    ];
    let mut random = Random(0x5eed);
    let (mut valid, mut invalid, mut broken) = (0, 0, 0);
    for _ in 0..20_000 {
        let mut bytes = WHOLE.as_bytes().to_vec();
        for _ in 0..=random.below(3) {
            let at = random.below(bytes.len());
            match random.below(5) {
                0 => bytes[at] = u8::try_from(random.below(256)).unwrap(),
                1 => drop(bytes.remove(at)),
                2 => bytes.insert(at, b"{}[]\",:*1eE.-"[random.below(13)]),
                3 => {
                    // A value replaced by another: the most likely to stay JSON.
                    let start = at
                        + bytes[at..]
                            .iter()
                            .position(|byte| *byte == b':')
                            .unwrap_or(0);
                    let end = start
                        + bytes[start..]
                            .iter()
                            .position(|byte| b",}]".contains(byte))
                            .unwrap_or(0);
                    if start < end {
                        bytes.splice(start + 1..end, PIECES[random.below(PIECES.len())].bytes());
                    }
                }
                _ => {
                    let from = random.below(bytes.len());
                    let length = random.below(40).min(bytes.len() - from);
                    let piece = bytes[from..from + length].to_vec();
                    bytes.splice(at..at, piece);
                }
            }
        }
        match Config::parse(&bytes) {
            Ok(_) => valid += 1,
            Err(errors) => {
                assert!(!errors.is_empty());
                if errors[0].message.starts_with("expected JSON") {
                    broken += 1
                } else {
                    invalid += 1
                }
            }
        }
    }
    assert!(
        valid > 100 && invalid > 1000 && broken > 1000,
        "{valid} {invalid} {broken}"
    );
}
