use super::*;
use crate::config::Config;
use crate::in_memory::header_list::HeaderList;
use alloc::string::ToString;
use core::cell::Cell;
use serde_json::{Value, json};

fn node() -> Node {
    Node {
        namespace: Some("payments".into()),
        labels: vec_of(&[("app", "cart"), ("version", "")]),
        ..Node::default()
    }
}

fn vec_of(pairs: &[(&str, &str)]) -> Vec<(String, String)> {
    pairs
        .iter()
        .map(|(name, value)| ((*name).into(), (*value).into()))
        .collect()
}

/// The request that every match below describes.
const REQUEST: [(&str, &str); 6] = [
    (":method", "GET"),
    (":path", "/orders/7?full=1#top"),
    ("user-agent", "kube-probe/1.31"),
    ("x-canary", "no"),
    ("x-canary", "yes"),
    ("x-empty", ""),
];

fn configured(condition: &Value) -> Match {
    let config = json!({"sampling": {"exclude": [condition]}}).to_string();
    let config = Config::parse(config.as_bytes()).unwrap_or_else(|errors| panic!("{errors:?}"));
    config.sampling.unwrap().exclude.remove(0)
}

fn is_match(condition: &Value, node: &Node, headers: &[(&str, &str)]) -> bool {
    let list = HeaderList::new(headers.iter().copied());
    let known = list.as_request();
    let candidate = Candidate::new(&known, list.pairs(), || Direction::Inbound, || "".into());
    Matcher::new(&configured(condition), node).is_some_and(|matcher| matcher.matches(&candidate))
}

fn whole() -> Value {
    json!({
        "path": "/orders/{id}", "method": ["PUT", "GET"], "direction": "inbound",
        "headers": {"x-canary": "y*", "x-empty": ""}, "userAgent": "kube-probe/*",
        "namespace": "pay*", "labels": {"app": "c*t", "version": ""}
    })
}

#[test]
fn mf_13_all_conditions_hold_or_it_is_no_match() {
    assert!(is_match(&whole(), &node(), &REQUEST));
    for (key, value) in [
        ("path", json!("/orders/{id}/items")),
        ("path", json!("/orders")),
        ("path", json!("/ORDERS/*")),
        ("method", json!("POST")),
        ("method", json!(["PUT", "HEAD"])),
        ("direction", json!("outbound")),
        ("direction", json!("edge")),
        ("headers", json!({"x-canary": "y"})),
        ("headers", json!({"x-canary": "y*", "x-empty": "x"})),
        ("headers", json!({"x-canary": "y*", "x-absent": "*"})),
        ("headers", json!({"x-absent": ""})),
        ("userAgent", json!("Kube-probe/*")),
        ("userAgent", json!("kube-probe/")),
        ("namespace", json!("orders")),
        ("namespace", json!("Payments")),
        ("labels", json!({"app": "carts"})),
        ("labels", json!({"app": "cart", "tier": "*"})),
        ("labels", json!({"version": "?"})),
    ] {
        let mut changed = whole();
        changed[key] = value.clone();
        assert!(!is_match(&changed, &node(), &REQUEST), "{key} {value}");
    }
}

#[test]
fn each_condition_alone_is_enough() {
    for (key, value) in whole().as_object().unwrap() {
        let alone = json!({ key: value });
        assert!(is_match(&alone, &node(), &REQUEST), "{alone}");
    }
}

#[test]
fn a_path_ends_at_its_query_or_fragment_and_is_compared_as_received() {
    for (pattern, target, expected) in [
        ("/health", "/health", true),
        ("/health", "/health?verbose", true),
        ("/health", "/health#a?b", true),
        ("/health", "/health?", true),
        ("/health", "/health/", false),
        ("/health", "/Health", false),
        ("/health", "/%68ealth", false),
        ("/health", "//health", false),
        ("/health", "/a?/health", false),
        ("/health*", "/healthz/live?x", true),
        ("*/health", "http://a/health?x", true),
        ("*", "*", true),
        ("*", "", true),
        ("/{any}", "/x?/y", true),
        ("/{any}", "/?x", false),
    ] {
        let condition = json!({ "path": pattern });
        assert_eq!(
            is_match(&condition, &node(), &[(":path", target)]),
            expected,
            "{pattern} against {target}"
        );
    }
}

#[test]
fn what_is_not_there_matches_nothing() {
    for condition in [
        json!({"path": "*"}),
        json!({"method": "GET"}),
        json!({"userAgent": "*"}),
        json!({"userAgent": ""}),
        json!({"headers": {"x-canary": "*"}}),
        json!({"headers": {"x-canary": ""}}),
        json!({"labels": {"app": "*"}}),
        json!({"labels": {"app": ""}}),
        json!({"namespace": "pay*"}),
        json!({"namespace": "**"}),
    ] {
        let nobody = Node::default();
        assert!(!is_match(&condition, &nobody, &[]), "{condition}");
    }
}

#[test]
fn a_workload_without_a_namespace_is_matched_by_a_star_alone() {
    for namespace in [None, Some(String::new())] {
        let nowhere = Node {
            namespace,
            ..Node::default()
        };
        assert!(is_match(&json!({"namespace": "*"}), &nowhere, &[]));
    }
}

#[test]
fn conditions_on_the_workload_are_resolved_once() {
    let list = |conditions: Value| {
        let text = json!({"sampling": {"exclude": conditions}}).to_string();
        let config = Config::parse(text.as_bytes()).unwrap();
        let excludes = config.sampling.unwrap().exclude.into_iter();
        let left: Vec<_> = excludes
            .filter_map(|condition| Matcher::new(&condition, &node()))
            .collect();
        left
    };
    let left = list(json!([
        {"path": "/a", "namespace": "orders"},
        {"path": "/b", "namespace": "payments", "labels": {"app": "*"}},
        {"path": "/c", "labels": {"app": "shop"}}
    ]));
    assert_eq!(left, list(json!([{"path": "/b"}])));
}

#[test]
fn nothing_is_asked_for_that_makes_no_difference() {
    let list = HeaderList::new(REQUEST);
    let known = list.as_request();
    for (condition, walks, questions) in [
        (json!({"path": "/orders/*", "userAgent": "*"}), 0, 0),
        (
            json!({"path": "/x", "headers": {"a": "*"}, "direction": "inbound"}),
            0,
            0,
        ),
        (json!({"headers": {"a": "*"}, "direction": "inbound"}), 1, 0),
        (json!({"headers": {"x-canary": "*", "x-empty": "*"}}), 2, 0),
        (json!({"direction": "outbound"}), 0, 1),
    ] {
        let (walked, asked) = (Cell::new(0), Cell::new(0));
        let all = Counted(list.pairs(), &walked);
        let direction = || {
            asked.set(asked.get() + 1);
            Direction::Inbound
        };
        let candidate = Candidate::new(&known, all, direction, || "".into());
        Matcher::new(&configured(&condition), &node())
            .unwrap()
            .matches(&candidate);
        assert_eq!(
            (walked.get(), asked.get()),
            (walks, questions),
            "{condition}"
        );
    }
}

/// Counts how often the list is walked over.
struct Counted<'c, I>(I, &'c Cell<u32>);

impl<I: Clone> Clone for Counted<'_, I> {
    fn clone(&self) -> Self {
        self.1.set(self.1.get() + 1);
        Self(self.0.clone(), self.1)
    }
}

impl<I: Iterator> Iterator for Counted<'_, I> {
    type Item = I::Item;
    fn next(&mut self) -> Option<I::Item> {
        self.0.next()
    }
}

#[test]
fn bytes_that_are_not_utf_8_are_compared_as_bytes() {
    let list = HeaderList::new([(":path", &b"/a\xff"[..]), ("x-user", b"\xff\xfe")]);
    let known = list.as_request();
    for (condition, expected) in [
        (json!({"path": "/a*"}), true),
        (json!({"path": "/{any}"}), true),
        (json!({"path": "/a"}), false),
        (json!({"headers": {"x-user": "*"}}), true),
        (json!({"headers": {"x-user": ""}}), false),
    ] {
        let candidate = Candidate::new(&known, list.pairs(), || Direction::Edge, || "".into());
        let matcher = Matcher::new(&configured(&condition), &node()).unwrap();
        assert_eq!(matcher.matches(&candidate), expected, "{condition}");
    }
}
