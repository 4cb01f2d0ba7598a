use alloc::collections::BTreeMap;
use alloc::format;
use alloc::string::{String, ToString};

use opentelemetry_proto::tonic::common::v1::any_value::Value;
use prost::Message;

use super::*;
use crate::headers::list::HeaderList;

fn attributes(described: &Attributes) -> BTreeMap<String, String> {
    opentelemetry_proto::tonic::trace::v1::Span::decode(described.as_encoded())
        .unwrap()
        .attributes
        .into_iter()
        .map(|attribute| {
            let value = match attribute.value.unwrap().value.unwrap() {
                Value::StringValue(text) => text,
                Value::IntValue(number) => format!("{number} (int)"),
                other => panic!("{other:?}"),
            };
            (attribute.key, value)
        })
        .collect()
}

fn request(kind: SpanKind, headers: &[(&str, &str)]) -> BTreeMap<String, String> {
    let list = HeaderList::new(headers.iter().copied());
    let mut described = Attributes::default();
    describe_request(&mut described, kind, &list.as_request());
    attributes(&described)
}

fn ending(kind: SpanKind, code: Option<u16>, flags: u64) -> (Status, BTreeMap<String, String>) {
    let mut described = Attributes::default();
    let ending = Ending {
        status_code: code,
        response_flags: flags,
    };
    let status = describe_ending(&mut described, kind, ending);
    (status, attributes(&described))
}

fn map(rows: &[(&str, &str)]) -> BTreeMap<String, String> {
    rows.iter()
        .map(|(key, value)| (key.to_string(), value.to_string()))
        .collect()
}

const REQUEST: [(&str, &str); 6] = [
    (":method", "GET"),
    (":scheme", "http"),
    (":authority", "shop.example:8080"),
    (":path", "/cart/7?color=blue&sig=x#top"),
    ("user-agent", "curl/8"),
    ("x-forwarded-for", "10.0.0.7, 10.0.0.8"),
];

#[test]
fn section_7_1_describes_a_server_span() {
    let expected = map(&[
        ("client.address", "10.0.0.7"),
        ("http.request.method", "GET"),
        ("server.address", "shop.example"),
        ("server.port", "8080 (int)"),
        ("url.path", "/cart/7"),
        ("url.query", "color=blue&sig=REDACTED"),
        ("url.scheme", "http"),
        ("user_agent.original", "curl/8"),
    ]);
    assert_eq!(request(SpanKind::Server, &REQUEST), expected);
}

#[test]
fn section_7_2_describes_a_client_span() {
    let expected = map(&[
        ("http.request.method", "GET"),
        ("server.address", "shop.example"),
        ("server.port", "8080 (int)"),
        (
            "url.full",
            "http://shop.example:8080/cart/7?color=blue&sig=REDACTED",
        ),
    ]);
    assert_eq!(request(SpanKind::Client, &REQUEST), expected);
}

#[test]
fn hs_2_splits_an_authority_of_any_form() {
    for (authority, address, port) in [
        ("a.example", "a.example", 443),
        ("a.example:81", "a.example", 81),
        ("[::1]:8080", "::1", 8080),
        ("[::1]", "::1", 443),
        ("user:secret@a.example:81", "a.example", 81),
    ] {
        let found = request(
            SpanKind::Server,
            &[(":authority", authority), (":scheme", "https")],
        );
        assert_eq!(found["server.address"], address, "{authority}");
        assert_eq!(found["server.port"], format!("{port} (int)"), "{authority}");
    }
    let odd = request(SpanKind::Server, &[(":authority", "a:b"), (":scheme", "x")]);
    assert!(!odd.contains_key("server.port"));
    assert!(!request(SpanKind::Server, &[]).contains_key("server.address"));
}

#[test]
fn rd_1_hides_user_information() {
    let found = request(
        SpanKind::Client,
        &[(":authority", "me:secret@a.example"), (":path", "/")],
    );
    assert_eq!(found["url.full"], "http://REDACTED:REDACTED@a.example/");
}

#[test]
fn rd_2_hides_the_values_of_secret_keys_in_their_literal_spelling() {
    for (query, expected) in [
        ("sig=x", "sig=REDACTED"),
        ("sig=x&sig=y&a=1", "sig=REDACTED&sig=REDACTED&a=1"),
        ("X-Amz-Signature=a=b", "X-Amz-Signature=REDACTED"),
        ("Sig=x&s%69g=y", "Sig=x&s%69g=y"),
        ("sig", "sig"),
        (
            "AWSAccessKeyId=x&Signature=",
            "AWSAccessKeyId=REDACTED&Signature=REDACTED",
        ),
    ] {
        let path = format!("/?{query}");
        let found = request(SpanKind::Server, &[(":path", &path)]);
        assert_eq!(found["url.query"], expected, "{query}");
    }
}

#[test]
fn nm_1_names_a_span_by_its_method_and_never_by_the_path() {
    let list = HeaderList::new(REQUEST);
    assert_eq!(name(&list.as_request()), "GET");
}

#[test]
fn nm_2_knows_methods_by_their_exact_case() {
    for (method, known, word) in [
        ("GET", "GET", "GET"),
        ("QUERY", "QUERY", "QUERY"),
        ("get", "_OTHER", "HTTP"),
        ("BREW", "_OTHER", "HTTP"),
    ] {
        let headers = [(":method", method)];
        let list = HeaderList::new(headers);
        let found = request(SpanKind::Server, &headers);
        assert_eq!(found["http.request.method"], known);
        assert_eq!(name(&list.as_request()), word);
        let original = found.get("http.request.method_original");
        assert_eq!(original.is_some(), known == "_OTHER", "{method}");
    }
}

#[test]
fn section_7_4_says_what_failed() {
    const DC: u64 = 0x4000;
    const DR: u64 = 0x1000_0000;
    const UC: u64 = 0x40;
    let rows = [
        // code, flags, server's error.type, client's
        (Some(200), 0, None, None),
        (Some(302), 0, None, None),
        (Some(404), 0, None, Some("404")),
        (Some(429), 0, None, Some("429")),
        (Some(500), 0, Some("500"), Some("500")),
        (Some(503), 0x2, Some("503"), Some("503")),
        (Some(99), 0, Some("99"), Some("99")),
        (Some(600), 0, Some("600"), Some("600")),
        (
            Some(200),
            UC,
            Some("upstream_reset"),
            Some("upstream_reset"),
        ),
        (Some(404), UC, Some("upstream_reset"), Some("404")),
        (Some(200), DC, None, None),
        (None, DC, Some("downstream_reset"), None),
        (Some(200), DR, None, None),
        (None, DR, Some("downstream_reset"), None),
        (
            None,
            0x4,
            Some("upstream_timeout"),
            Some("upstream_timeout"),
        ),
        (None, 0, Some("_OTHER"), Some("_OTHER")),
    ];
    for (code, flags, server, client) in rows {
        for (kind, expected) in [(SpanKind::Server, server), (SpanKind::Client, client)] {
            let (status, found) = ending(kind, code, flags);
            let row = format!("{code:?} {flags:#x} {kind:?}");
            assert_eq!(
                found.get("error.type").map(String::as_str),
                expected,
                "{row}"
            );
            assert_eq!(status == Status::Error, expected.is_some(), "{row}");
            let written = code.map(|code| format!("{code} (int)"));
            assert_eq!(
                found.get("http.response.status_code"),
                written.as_ref(),
                "{row}"
            );
        }
    }
}

#[test]
fn st_3_names_each_response_flag() {
    for (bit, name) in RESPONSE_FLAGS {
        let (_, found) = ending(SpanKind::Server, None, bit);
        assert_eq!(found["error.type"], name, "{bit:#x}");
    }
}

#[test]
fn never_panics_on_any_bytes() {
    for byte in 0..=255_u8 {
        for value in [
            &[byte][..],
            &[b'[', byte],
            &[byte, b'@'],
            &[b':', byte, b'?'],
        ] {
            let list = HeaderList::new([
                (":method", value),
                (":path", value),
                (":authority", value),
                ("x-forwarded-for", value),
            ]);
            for kind in [SpanKind::Server, SpanKind::Client] {
                let mut described = Attributes::default();
                describe_request(&mut described, kind, &list.as_request());
                attributes(&described);
            }
        }
    }
}
