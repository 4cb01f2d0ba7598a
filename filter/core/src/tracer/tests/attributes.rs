//! Attributes that are configured: rule BG-21.

use super::*;
use crate::direction::Direction;
use opentelemetry_proto::tonic::common::v1::any_value::Value;

/// The value of the attribute `tenant` on each span.
fn tenants(done: &StreamInfo) -> Vec<Option<String>> {
    let tenant = |span: &Span| {
        let span = <opentelemetry_proto::tonic::trace::v1::Span as prost::Message>::decode(
            &crate::otlp::span::encode(span)[..],
        )
        .unwrap();
        let found = span.attributes.into_iter().find(|it| it.key == "tenant")?;
        match found.value.unwrap().value.unwrap() {
            Value::StringValue(text) => Some(text),
            other => panic!("{other:?}"),
        }
    };
    done.spans.iter().map(tenant).collect()
}

fn config(attribute: &str) -> String {
    format!(
        r#"{{"sampling": {{"percentage": 100}}, "spans": {{"attributes": [{attribute}]}}, {EXPORT}}}"#
    )
}

#[test]
fn bg_21_copies_a_member_of_the_baggage_to_the_spans_and_leaves_the_header() {
    let plain = config(r#"{"name": "tenant", "baggage": "tenant.id"}"#);
    let with_default = config(r#"{"name": "tenant", "baggage": "tenant.id", "default": "none"}"#);
    let long = format!("tenant.id={}", "x".repeat(2000));
    let cut = "x".repeat(1024);
    let too_long = format!("tenant.id=1,a={}", "x".repeat(8192));
    let too_many = format!("{}tenant.id=1", "a=1,".repeat(64));
    let just_so_many = format!("{}tenant.id=1", "a=1,".repeat(63));
    for (baggage, value) in [
        ("tenant.id=acme", Some("acme")),
        ("a=1, tenant.id = acme ;secret=7,b=2", Some("acme")),
        ("tenant.id=a,tenant.id=b", Some("b")),
        ("tenant.id=%C3%A9t%C3%A9", Some("\u{e9}t\u{e9}")),
        ("tenant.id=%ff", Some("\u{fffd}")),
        ("tenant.id=a=b", Some("a=b")),
        ("tenant.id=", Some("")),
        (&long, Some(&cut)),
        (&just_so_many, Some("1")),
        (&too_many, None),
        (&too_long, None),
        ("Tenant.id=acme", None),
        ("tenant=acme", None),
        ("tenant.id", None),
        ("", None),
    ] {
        for direction in [Direction::Inbound, Direction::Outbound, Direction::Edge] {
            let done = exchange(&plain, direction, &[("baggage", baggage)]);
            let spans = if direction == Direction::Edge { 2 } else { 1 };
            let expected = vec![value.map(String::from); spans];
            assert_eq!(tenants(&done), expected, "{baggage}");
            assert_eq!(done.value("baggage").as_deref(), Some(baggage));

            let done = exchange(&with_default, direction, &[("baggage", baggage)]);
            let expected = vec![Some(value.unwrap_or("none").into()); spans];
            assert_eq!(tenants(&done), expected, "{baggage}");
        }
    }
}

#[test]
fn bg_21_reads_all_lines_and_does_without_any() {
    let plain = config(r#"{"name": "tenant", "baggage": "t"}"#);
    let lines = [("baggage", "t=1"), ("baggage", "u=2"), ("baggage", "t=3")];
    assert_eq!(
        tenants(&exchange(&plain, Direction::Inbound, &lines)),
        [Some("3".into())]
    );
    assert_eq!(tenants(&exchange(&plain, Direction::Inbound, &[])), [None]);
    let with_default = config(r#"{"name": "tenant", "baggage": "t", "default": ""}"#);
    assert_eq!(
        tenants(&exchange(&with_default, Direction::Inbound, &[])),
        [Some(String::new())]
    );
}
