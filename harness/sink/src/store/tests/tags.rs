//! The names and values of attributes.

use std::collections::BTreeMap;

use opentelemetry_proto::tonic::common::v1::{AnyValue, ArrayValue};
use opentelemetry_proto::tonic::trace::v1::span::{Event as WireEvent, Link as WireLink};

use super::*;

fn text(text: &str) -> Any {
    Any::StringValue(text.into())
}

fn array(values: Vec<Any>) -> Any {
    let values = values
        .into_iter()
        .map(|value| AnyValue { value: Some(value) });
    Any::ArrayValue(ArrayValue {
        values: values.collect(),
    })
}

async fn filled() -> Store {
    let store = Store::open(Place::Memory, Limits::default()).unwrap();
    let first = Span {
        attributes: vec![
            pair("region", text("eu")),
            pair("code", Any::IntValue(200)),
            pair("region", text("twice")),
        ],
        events: vec![WireEvent {
            attributes: vec![pair("exception.type", text("E"))],
            ..WireEvent::default()
        }],
        links: vec![WireLink {
            attributes: vec![pair("cause", Any::BoolValue(true))],
            ..WireLink::default()
        }],
        ..wire('a', 1)
    };
    let second = Span {
        attributes: vec![pair("region", array(vec![text("eu"), text("us")]))],
        ..wire('a', 2)
    };
    keep(&store, vec![first, second]).await;
    store
}

#[tokio::test]
async fn names_are_told_by_place_with_the_number_of_their_spans() {
    let store = filled().await;
    let found = store.tag_names().await.unwrap();
    let row = |names: &[(&str, u64)]| -> BTreeMap<String, u64> {
        names
            .iter()
            .map(|(name, spans)| ((*name).to_owned(), *spans))
            .collect()
    };
    let expected: BTreeMap<TagScope, BTreeMap<String, u64>> = [
        (TagScope::Resource, row(&[("service.name", 2)])),
        (TagScope::Span, row(&[("code", 1), ("region", 2)])),
        (TagScope::Event, row(&[("exception.type", 1)])),
        (TagScope::Link, row(&[("cause", 1)])),
    ]
    .into();
    assert_eq!(found.names, expected);
    assert_eq!(
        found.sample,
        Sample {
            spans: 2,
            ..Sample::default()
        }
    );
}

#[tokio::test]
async fn values_are_told_with_their_types_and_of_an_array_each_element() {
    let store = filled().await;
    let values = async |name: &str| -> Vec<(String, &'static str, u64)> {
        let found = store.tag_values(&TagScope::ALL, name).await.unwrap();
        let row = |(value, spans): (TagValue, u64)| (value.text, value.kind, spans);
        found.values.into_iter().map(row).collect()
    };
    let expected = [("eu", 2), ("twice", 1), ("us", 1)];
    let expected = expected.map(|(text, spans)| (text.to_owned(), "string", spans));
    assert_eq!(values("region").await, expected);
    assert_eq!(values("code").await, [("200".to_owned(), "int", 1)]);
    assert_eq!(values("cause").await, [("true".to_owned(), "bool", 1)]);
    assert_eq!(values("absent").await, []);
    let of_link = store.tag_values(&[TagScope::Span], "cause").await.unwrap();
    assert!(of_link.values.is_empty());
}

#[tokio::test]
async fn a_sample_says_what_it_did_not_look_at_and_what_it_does_not_tell() {
    let store = Store::open(Place::Memory, Limits::default()).unwrap();
    let spans = |from: usize, count: usize| -> Vec<Span> {
        let span = |number: usize| Span {
            span_id: (1 + u64::try_from(number).unwrap()).to_be_bytes().to_vec(),
            attributes: vec![pair("user", Any::IntValue(i64::try_from(number).unwrap()))],
            ..wire('a', 1)
        };
        (from..from + count).map(span).collect()
    };
    keep(&store, spans(0, 7_000)).await;
    keep(&store, spans(7_000, 4_000)).await;
    let found = store.tag_values(&[TagScope::Span], "user").await.unwrap();
    assert_eq!(
        (found.sample.spans, found.sample.spans_left),
        (10_000, 1_000)
    );
    assert_eq!((found.values.len(), found.sample.left_out), (1_000, 9_000));
    let newest = TagValue {
        kind: "int",
        text: "10999".to_owned(),
    };
    assert!(found.values.contains_key(&newest));
    let long = Span {
        attributes: vec![pair(&"k".repeat(2_000), text(&"v".repeat(2_000)))],
        ..wire('b', 1)
    };
    keep(&store, vec![long]).await;
    let found = store.tag_names().await.unwrap();
    assert_eq!(
        (found.names[&TagScope::Span].len(), found.sample.left_out),
        (1, 1)
    );
}
