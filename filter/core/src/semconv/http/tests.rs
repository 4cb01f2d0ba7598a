use alloc::collections::BTreeMap;
use alloc::string::{String, ToString};
use alloc::{format, vec};

use opentelemetry_proto::tonic::common::v1::any_value::Value;
use prost::Message;

use super::forwarded::Believed;
use super::*;
use crate::in_memory::header_list::HeaderList;
use crate::semconv::names::{NameSet, SpanSide};
use crate::semconv::settings::{Conventions, Spans};
use crate::span::attributes::Attributes;

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
    request_by(&Spans::default(), kind, headers)
}

fn request_by(spans: &Spans, kind: SpanKind, headers: &[(&str, &str)]) -> BTreeMap<String, String> {
    let list = HeaderList::new(headers.iter().copied());
    described(spans, kind, |writer| {
        let route = spans.routes.first().map(String::as_str);
        describe_request(
            writer,
            &list.as_request(),
            &Forwarded::read(&list.as_request(), Believed::All),
            route,
            &spans.redact_query,
            &LastServers::default(),
        );
    })
}

fn described(
    spans: &Spans,
    kind: SpanKind,
    describe: impl FnOnce(&mut AttributeWriter<'_>),
) -> BTreeMap<String, String> {
    let mut out = Attributes::default();
    let side = SpanSide {
        kind,
        is_rpc: false,
    };
    describe(&mut AttributeWriter {
        vocabulary: NameSet::new(spans),
        side,
        out: &mut out,
    });
    attributes(&out)
}

fn ending(kind: SpanKind, code: Option<u16>, flags: u64) -> (Status, BTreeMap<String, String>) {
    let ending = ResponseOutcome {
        status_code: code,
        response_flags: flags,
        ..ResponseOutcome::default()
    };
    let mut status = Status::Unset;
    let found = described(&Spans::default(), kind, |writer| {
        status = describe_outcome(writer, &ending);
    });
    (status, found)
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
fn what_the_client_used_is_said_of_it_and_not_of_who_is_called() {
    let headers = [
        (":scheme", "http"),
        (":authority", "cart"),
        ("x-forwarded-proto", "https"),
    ];
    let server = request(SpanKind::Server, &headers);
    assert_eq!(server["url.scheme"], "https");
    assert_eq!(server["server.port"], "443 (int)");
    let client = request(SpanKind::Client, &headers);
    assert_eq!(client["url.full"], "http://cart");
    assert_eq!(client["server.port"], "80 (int)");
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
    assert_eq!(name(&list.as_request(), None), "GET");
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
        assert_eq!(name(&list.as_request(), None), word);
        let original = found.get("http.request.method_original");
        assert_eq!(original.is_some(), known == "_OTHER", "{method}");
    }
}

#[test]
fn section_7_4_says_what_failed() {
    const DC: u64 = 0x4000;
    const DR: u64 = 0x1000_0000;
    const UC: u64 = 0x40;
    const SI: u64 = 0x1_0000;
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
        // Nobody has answered, so it is a failure on both sides: NR, NC, and codes in the place of the proxy's own 503 or 504.
        (Some(404), 0x100, Some("no_route"), Some("404")),
        (Some(404), 0x100_0000, Some("no_cluster"), Some("404")),
        (
            Some(423),
            0x20,
            Some("upstream_connect_failure"),
            Some("upstream_connect_failure"),
        ),
        (
            Some(200),
            0x2,
            Some("no_healthy_upstream"),
            Some("no_healthy_upstream"),
        ),
        (Some(423), 0x4, Some("upstream_timeout"), Some("423")),
        // ST-3: the number wins. RL, UAEX, DPE; SI while the request was still on its way; URX of tries on 409.
        (Some(429), 0x800, None, Some("429")),
        (Some(403), 0x1000, None, Some("403")),
        (Some(400), 0x4_0000, None, Some("400")),
        (Some(408), SI, None, Some("408")),
        (Some(409), 0x8000, None, Some("409")),
        (Some(200), 0x8000, None, None),
        (
            Some(200),
            SI,
            Some("stream_idle_timeout"),
            Some("stream_idle_timeout"),
        ),
        // A tunnel that the upstream has closed, and one in which nothing moved any more.
        (Some(101), UC, None, None),
        (
            Some(101),
            SI,
            Some("stream_idle_timeout"),
            Some("stream_idle_timeout"),
        ),
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
fn nm_1_names_a_span_by_its_route() {
    let list = HeaderList::new(REQUEST);
    assert_eq!(
        name(&list.as_request(), Some("/cart/{id}")),
        "GET /cart/{id}"
    );
    let spans = Spans {
        routes: vec!["/cart/{id}".into()],
        ..Spans::default()
    };
    let server = request_by(&spans, SpanKind::Server, &REQUEST);
    assert_eq!(server["http.route"], "/cart/{id}");
    let client = request_by(&spans, SpanKind::Client, &REQUEST);
    assert_eq!(client["url.template"], "/cart/{id}");
    assert!(!client.contains_key("http.route"));
}

#[test]
fn conventions_old_are_those_of_1_20() {
    let spans = Spans {
        conventions: Conventions::Old,
        routes: vec!["/cart/{id}".into()],
        ..Spans::default()
    };
    let server = map(&[
        ("http.client_ip", "10.0.0.7"),
        ("http.method", "GET"),
        ("http.route", "/cart/{id}"),
        ("http.scheme", "http"),
        ("http.target", "/cart/7?color=blue&sig=REDACTED"),
        ("net.host.name", "shop.example"),
        ("net.host.port", "8080 (int)"),
        ("user_agent.original", "curl/8"),
    ]);
    assert_eq!(request_by(&spans, SpanKind::Server, &REQUEST), server);
    let client = map(&[
        ("http.method", "GET"),
        (
            "http.url",
            "http://shop.example:8080/cart/7?color=blue&sig=REDACTED",
        ),
        ("net.peer.name", "shop.example"),
        ("net.peer.port", "8080 (int)"),
    ]);
    assert_eq!(request_by(&spans, SpanKind::Client, &REQUEST), client);
    let odd = request_by(&spans, SpanKind::Client, &[(":method", "BREW")]);
    assert_eq!(odd["http.method"], "BREW");
}

#[test]
fn conventions_both_say_everything_by_both_names_and_what_is_equal_once() {
    let by = |conventions| {
        let spans = Spans {
            conventions,
            ..Spans::default()
        };
        [SpanKind::Server, SpanKind::Client].map(|kind| request_by(&spans, kind, &REQUEST))
    };
    let (stable, old) = (by(Conventions::Stable), by(Conventions::Old));
    for (at, both) in by(Conventions::Both).into_iter().enumerate() {
        let mut expected = stable[at].clone();
        expected.extend(old[at].clone());
        assert_eq!(both, expected);
    }
}

#[test]
fn what_is_left_out_is_left_out_of_the_whole_and_under_every_name() {
    for conventions in [Conventions::Stable, Conventions::Old, Conventions::Both] {
        let omit = |names: &[&str], kind| {
            let spans = Spans {
                conventions,
                omit: names.iter().map(ToString::to_string).collect(),
                ..Spans::default()
            };
            let found = request_by(&spans, kind, &REQUEST);
            found.into_values().collect::<Vec<_>>().join(" ")
        };
        for kind in [SpanKind::Server, SpanKind::Client] {
            let said = omit(&["url.query"], kind);
            assert!(
                !said.contains("color") && said.contains("/cart/7"),
                "{said}"
            );
            let said = omit(&["url.path", "url.query"], kind);
            assert!(
                !said.contains("color") && !said.contains("/cart/7"),
                "{said}"
            );
        }
        let said = omit(&["url.full"], SpanKind::Client);
        assert!(!said.contains("://"), "{said}");
        for name in ["client.address", "http.client_ip"] {
            assert!(!omit(&[name], SpanKind::Server).contains("10.0.0.7"));
        }
        assert!(!omit(&["user_agent.original"], SpanKind::Server).contains("curl"));
    }
}

#[test]
fn rd_2_hides_what_is_configured_besides() {
    let spans = Spans {
        redact_query: vec!["token".into()],
        ..Spans::default()
    };
    let headers = [(":path", "/?token=x&sig=y&Token=z")];
    let found = request_by(&spans, SpanKind::Server, &headers);
    assert_eq!(found["url.query"], "token=REDACTED&sig=REDACTED&Token=z");
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
                ("forwarded", value),
            ]);
            for kind in [SpanKind::Server, SpanKind::Client] {
                described(&Spans::default(), kind, |writer| {
                    describe_request(
                        writer,
                        &list.as_request(),
                        &Forwarded::read(&list.as_request(), Believed::All),
                        None,
                        &[],
                        &LastServers::default(),
                    );
                });
            }
        }
    }
}

#[test]
fn a_server_is_told_in_the_same_words_whoever_was_asked_for_before() {
    let long = format!("{}:8080", "x".repeat(600));
    let authorities = [
        "cart:80", "cart:80", "cart", "cart", "[::1]:81", "a@cart:1", "", "cart", &long, &long,
        "cart:x",
    ];
    for (kind, is_old) in [
        (SpanKind::Server, false),
        (SpanKind::Client, false),
        (SpanKind::Server, true),
        (SpanKind::Client, true),
    ] {
        let spans = Spans {
            conventions: if is_old {
                Conventions::Both
            } else {
                Conventions::Stable
            },
            ..Spans::default()
        };
        let last = LastServers::default();
        for (authority, scheme) in authorities
            .iter()
            .flat_map(|authority| ["http", "https", "x"].map(|scheme| (authority, scheme)))
        {
            let list = HeaderList::new([(":authority", *authority), (":scheme", scheme)]);
            let told = |servers: &LastServers| {
                described(&spans, kind, |writer| {
                    let headers = list.as_request();
                    describe_server(writer, &headers, &Forwarded::default(), servers);
                })
            };
            assert_eq!(
                told(&last),
                told(&LastServers::default()),
                "{authority} {scheme}"
            );
            assert_eq!(
                told(&last),
                told(&LastServers::default()),
                "again: {authority} {scheme}"
            );
        }
    }
}
