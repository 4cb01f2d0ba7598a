use alloc::collections::BTreeMap;
use alloc::format;
use alloc::string::{String, ToString};

use prost::Message;

use super::*;
use crate::semconv::names::{NameSet, SpanSide};
use crate::semconv::settings::{Conventions, Spans};
use crate::span::attributes::Attributes;

const DC: u64 = 0x4000;
const UC: u64 = 0x40;

fn end(
    conventions: Conventions,
    kind: SpanKind,
    path: &str,
    ending: &ResponseOutcome,
) -> (Status, String, BTreeMap<String, String>) {
    let spans = Spans {
        conventions,
        ..Spans::default()
    };
    end_of(&spans, kind, path, ending)
}

fn end_of(
    spans: &Spans,
    kind: SpanKind,
    path: &str,
    ending: &ResponseOutcome,
) -> (Status, String, BTreeMap<String, String>) {
    use opentelemetry_proto::tonic::common::v1::any_value::Value;
    let mut out = Attributes::default();
    let side = SpanSide { kind, is_rpc: true };
    let writer = &mut AttributeWriter {
        vocabulary: NameSet::new(spans),
        side,
        out: &mut out,
    };
    let (status, name) = describe_outcome(writer, &Method::of_path(path.as_bytes()), ending);
    let span = opentelemetry_proto::tonic::trace::v1::Span::decode(out.as_encoded()).unwrap();
    let attributes = span.attributes.into_iter().map(|attribute| {
        let value = match attribute.value.unwrap().value.unwrap() {
            Value::StringValue(text) => text,
            Value::IntValue(number) => format!("{number} (int)"),
            other => panic!("{other:?}"),
        };
        (attribute.key, value)
    });
    (status, name.into_owned(), attributes.collect())
}

fn ending(grpc: Option<&str>, code: Option<u16>, flags: u64) -> ResponseOutcome {
    ResponseOutcome {
        status_code: code,
        grpc_status: grpc.map(|digits| digits.as_bytes().to_vec()),
        response_flags: flags,
        is_cut: false,
    }
}

#[test]
fn section_7_6_knows_grpc_by_its_content_type() {
    for (content_type, expected) in [
        ("application/grpc", true),
        ("application/grpc+proto", true),
        ("application/grpc;charset=utf-8", true),
        ("application/grpc-web", false),
        ("application/grpc-web+proto", false),
        ("application/grpcx", false),
        ("application/json", false),
        ("", false),
    ] {
        assert_eq!(is_grpc(content_type.as_bytes()), expected, "{content_type}");
    }
}

#[test]
fn rp_3_takes_what_looks_like_a_method() {
    for (path, expected) in [
        ("/shop.v1.Cart/Add", Some("shop.v1.Cart/Add")),
        ("/Cart/Add_1", Some("Cart/Add_1")),
        ("/Cart/Add/7", None),
        ("/Cart", None),
        ("/Cart/", None),
        ("//Add", None),
        ("Cart/Add", None),
        ("/Cart/Add-7", None),
        ("/C\u{e9}/Add", None),
        ("", None),
    ] {
        let method = Method::of_path(path.as_bytes());
        let found = match &method {
            Method::Named(name) => Some(name.as_str()),
            Method::Other(original) => {
                assert_eq!(original, path.strip_prefix('/').unwrap_or(path).as_bytes());
                None
            }
        };
        assert_eq!(found, expected, "{path}");
        assert_eq!(method.span_name(), expected.unwrap_or("grpc"), "RP-2");
    }
    let long = format!("/Cart/{}", "A".repeat(1020));
    assert_eq!(Method::of_path(long.as_bytes()).span_name(), "grpc");
    assert_ne!(
        Method::of_path(&long.as_bytes()[..1020]).span_name(),
        "grpc"
    );
}

#[test]
fn a_method_that_is_a_path_goes_where_paths_go() {
    for (omit, is_said) in [(&[][..], true), (&["url.path"][..], false)] {
        let spans = Spans {
            omit: omit.iter().map(ToString::to_string).collect(),
            ..Spans::default()
        };
        let ending = ending(Some("0"), Some(200), 0);
        let (_, _, found) = end_of(&spans, SpanKind::Server, "/customers/7/orders", &ending);
        assert_eq!(found.contains_key("rpc.method_original"), is_said);
        assert_eq!(found["rpc.method"], "_OTHER");
    }
}

#[test]
fn rp_4_says_what_failed_on_each_side() {
    for number in 0..=17_u32 {
        let text = number.to_string();
        for (kind, is_failure) in [
            (SpanKind::Client, number != 0),
            (SpanKind::Server, matches!(number, 2 | 4 | 12..=15 | 17)),
        ] {
            let ending = ending(Some(&text), Some(200), 0);
            let (status, _, found) = end(Conventions::Stable, kind, "/Cart/Add", &ending);
            assert_eq!(status == Status::Error, is_failure, "{number} {kind:?}");
            let name = code_name(number);
            assert_eq!(found["rpc.response.status_code"], name, "RP-1, RP-9");
            let error = found.get("error.type").map(String::as_str);
            assert_eq!(error, is_failure.then_some(&*name), "{number} {kind:?}");
            assert_eq!(found["http.response.status_code"], "200 (int)", "RP-8");
        }
    }
    assert_eq!(code_name(16), "UNAUTHENTICATED");
    assert_eq!(code_name(17), "17");
}

#[test]
fn rp_3_a_server_without_the_method_bounds_the_names() {
    let unimplemented = ending(Some("12"), Some(200), 0);
    let (_, name, found) = end(
        Conventions::Stable,
        SpanKind::Server,
        "/Cart/Whatever",
        &unimplemented,
    );
    assert_eq!((name.as_str(), &*found["rpc.method"]), ("grpc", "_OTHER"));
    assert_eq!(found["rpc.method_original"], "Cart/Whatever");
    let (_, name, _) = end(
        Conventions::Stable,
        SpanKind::Client,
        "/Cart/Whatever",
        &unimplemented,
    );
    assert_eq!(name, "Cart/Whatever");
    // Whoever answers without a status speaks no gRPC, and any path may have been asked for.
    for code in [200, 404, 500] {
        let plain = ending(None, Some(code), 0);
        let (_, name, found) = end(
            Conventions::Stable,
            SpanKind::Server,
            "/Cart/Whatever",
            &plain,
        );
        assert_eq!((name.as_str(), &*found["rpc.method"]), ("grpc", "_OTHER"));
    }
}

#[test]
fn rp_6_and_rp_7_say_how_a_call_without_status_ended() {
    let (server, client) = (SpanKind::Server, SpanKind::Client);
    for (kind, code, flags, status, error) in [
        (client, Some(400), 0, Some("INTERNAL"), Some("INTERNAL")),
        (
            client,
            Some(401),
            0,
            Some("UNAUTHENTICATED"),
            Some("UNAUTHENTICATED"),
        ),
        (
            client,
            Some(403),
            0,
            Some("PERMISSION_DENIED"),
            Some("PERMISSION_DENIED"),
        ),
        (
            client,
            Some(404),
            0,
            Some("UNIMPLEMENTED"),
            Some("UNIMPLEMENTED"),
        ),
        (client, Some(431), 0, Some("INTERNAL"), Some("INTERNAL")),
        (
            client,
            Some(429),
            0,
            Some("UNAVAILABLE"),
            Some("UNAVAILABLE"),
        ),
        (
            client,
            Some(503),
            0,
            Some("UNAVAILABLE"),
            Some("UNAVAILABLE"),
        ),
        (client, Some(500), 0, Some("UNKNOWN"), Some("UNKNOWN")),
        (client, Some(200), 0, Some("UNKNOWN"), Some("UNKNOWN")),
        (client, None, 0, Some("UNAVAILABLE"), Some("UNAVAILABLE")),
        (
            client,
            Some(200),
            UC,
            Some("UNAVAILABLE"),
            Some("upstream_reset"),
        ),
        (client, None, DC, Some("CANCELLED"), None),
        (client, Some(200), DC, Some("CANCELLED"), None),
        (server, Some(404), 0, None, Some("404")),
        (server, Some(503), 0, None, Some("503")),
        (server, Some(200), 0, None, Some("_OTHER")),
        (
            server,
            None,
            UC,
            Some("UNAVAILABLE"),
            Some("upstream_reset"),
        ),
        (
            server,
            None,
            DC,
            Some("CANCELLED"),
            Some("downstream_reset"),
        ),
        (server, Some(200), DC, Some("CANCELLED"), None),
    ] {
        let row = format!("{kind:?} {code:?} {flags:#x}");
        let ending = ending(None, code, flags);
        let (failed, _, found) = end(Conventions::Stable, kind, "/Cart/Add", &ending);
        let said = found.get("rpc.response.status_code").map(String::as_str);
        assert_eq!(said, status, "{row}");
        assert_eq!(found.get("error.type").map(String::as_str), error, "{row}");
        assert_eq!(failed == Status::Error, error.is_some(), "{row}");
    }
}

#[test]
fn rp_5_reads_plain_decimals_alone() {
    for (digits, expected) in [
        ("0", Some(0)),
        ("16", Some(16)),
        ("00", None),
        ("+1", None),
        ("1 ", None),
        ("", None),
        ("4294967295", Some(u32::MAX)),
        ("4294967296", None),
    ] {
        assert_eq!(decimal(digits.as_bytes()), expected, "{digits}");
    }
    let odd = ending(Some("x"), Some(200), 0);
    let (_, _, found) = end(Conventions::Stable, SpanKind::Client, "/Cart/Add", &odd);
    assert_eq!(found["rpc.response.status_code"], "UNKNOWN");
}

#[test]
fn rp_1_old_conventions_are_those_of_1_37() {
    let done = ending(Some("5"), Some(200), 0);
    let path = "/shop.v1.Cart/Add";
    let (_, name, old) = end(Conventions::Old, SpanKind::Client, path, &done);
    assert_eq!(name, "shop.v1.Cart/Add");
    let expected = [
        ("http.status_code", "200 (int)"),
        ("rpc.grpc.status_code", "5 (int)"),
        ("rpc.method", "Add"),
        ("rpc.service", "shop.v1.Cart"),
        ("rpc.system", "grpc"),
    ];
    let expected: BTreeMap<_, _> = expected
        .map(|(key, value)| (key.to_string(), value.to_string()))
        .into();
    assert_eq!(old, expected);
    let (_, _, both) = end(Conventions::Both, SpanKind::Client, path, &done);
    assert_eq!(both["rpc.method"], "shop.v1.Cart/Add", "the stable meaning");
    assert_eq!(both["rpc.service"], "shop.v1.Cart");
    assert_eq!(both["rpc.system.name"], both["rpc.system"]);
}
