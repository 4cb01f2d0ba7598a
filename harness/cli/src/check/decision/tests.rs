//! Answers on one request, each by the key that decides it in the filter.

use std::time::Duration;

use sidespan_core::sampling::request_match::PathMatch;
use sidespan_core::sampling::settings::Keep;

use super::*;

fn config(text: &str) -> Config {
    Config::parse(text.as_bytes()).unwrap()
}

fn question(request: &str, namespace: &str, headers: &[&str], direction: Direction) -> Question {
    let headers: Vec<_> = headers.iter().map(|header| (*header).to_owned()).collect();
    Question::parse(
        request,
        Some(namespace),
        &headers,
        &["app=cart".into()],
        direction,
    )
    .unwrap()
}

const CONFIG: &str = r#"{
    "sampling": {
        "percentage": 2,
        "namespaces": {"payments": 50, "team-*": 10},
        "exclude": [{"path": "/probe"}, {"method": "OPTIONS", "labels": {"app": "ca*"}}, {"headers": {"x-synthetic": "*"}, "direction": "inbound"}]
    },
    "gateway": {"exclude": [{"userAgent": "robot/*"}], "trust": {"decision": "ignore"}}
}"#;
const SAMPLED: &str = "traceparent: 00-4bf92f3577b34da6a3ce929d0e0e4736-00f067aa0ba902b7-01";
const UNSAMPLED: &str = "traceparent: 00-4bf92f3577b34da6a3ce929d0e0e4736-00f067aa0ba902b7-00";

#[test]
fn every_answer_names_the_key_that_decides() {
    use Direction::{Edge, Inbound, Outbound};
    let config = config(CONFIG);
    for (request, namespace, headers, direction, decision, key, said) in [
        (
            "GET /checkout",
            "payments",
            &[][..],
            Inbound,
            "percentage",
            r#"sampling.namespaces["payments"]"#,
            r#"a request GET /checkout, inbound, in namespace payments: 50 % by sampling.namespaces["payments"]"#,
        ),
        (
            "/checkout",
            "team-a",
            &[],
            Outbound,
            "percentage",
            r#"sampling.namespaces["team-*"]"#,
            r#"a request GET /checkout, outbound, in namespace team-a: 10 % by sampling.namespaces["team-*"]"#,
        ),
        (
            "POST /",
            "shop",
            &[],
            Inbound,
            "percentage",
            "sampling.percentage",
            "a request POST /, inbound, in namespace shop: 2 % by sampling.percentage",
        ),
        (
            "GET /",
            "",
            &[],
            Inbound,
            "percentage",
            "sampling.percentage",
            "a request GET /, inbound, in no namespace: 2 % by sampling.percentage",
        ),
        // Excluding comes before all else, and its path ends at the query.
        (
            "GET /probe?x=1",
            "payments",
            &[SAMPLED],
            Inbound,
            "excluded",
            "sampling.exclude[0]",
            "a request GET /probe?x=1, inbound, in namespace payments: not traced, by sampling.exclude[0]",
        ),
        (
            "OPTIONS /",
            "payments",
            &[],
            Inbound,
            "excluded",
            "sampling.exclude[1]",
            "a request OPTIONS /, inbound, in namespace payments: not traced, by sampling.exclude[1]",
        ),
        (
            "GET /",
            "shop",
            &["X-Synthetic: 1"],
            Inbound,
            "excluded",
            "sampling.exclude[2]",
            "a request GET /, inbound, in namespace shop: not traced, by sampling.exclude[2]",
        ),
        (
            "GET /",
            "shop",
            &["X-Synthetic: 1"],
            Outbound,
            "percentage",
            "sampling.percentage",
            "a request GET /, outbound, in namespace shop: 2 % by sampling.percentage",
        ),
        (
            "GET /",
            "shop",
            &["user-agent: robot/1"],
            Edge,
            "excluded",
            "gateway.exclude[0]",
            "a request GET /, at an edge, in namespace shop: not traced, by gateway.exclude[0]",
        ),
        (
            "GET /probe",
            "shop",
            &[],
            Edge,
            "percentage",
            "sampling.percentage",
            "a request GET /probe, at an edge, in namespace shop: 2 % by sampling.percentage",
        ),
        // A received decision wins over every percentage, and debug is one.
        (
            "GET /",
            "payments",
            &[SAMPLED],
            Inbound,
            "sampled",
            "trust.decision",
            "a request GET /, inbound, in namespace payments: recorded as the caller decided, by trust.decision",
        ),
        (
            "GET /",
            "payments",
            &[UNSAMPLED],
            Outbound,
            "dropped",
            "trust.decision",
            "a request GET /, outbound, in namespace payments: not recorded as the caller decided, by trust.decision",
        ),
        (
            "GET /",
            "payments",
            &["x-b3-flags: 1"],
            Inbound,
            "sampled",
            "trust.debug",
            "a request GET /, inbound, in namespace payments: recorded as the caller asks for debugging, by trust.debug",
        ),
        // Not where it is not believed.
        (
            "GET /",
            "payments",
            &[SAMPLED],
            Edge,
            "percentage",
            r#"sampling.namespaces["payments"]"#,
            r#"a request GET /, at an edge, in namespace payments: 50 % by sampling.namespaces["payments"]"#,
        ),
        // What is no context decides nothing.
        (
            "GET /",
            "payments",
            &["traceparent: 00-0-0-01"],
            Inbound,
            "percentage",
            r#"sampling.namespaces["payments"]"#,
            r#"a request GET /, inbound, in namespace payments: 50 % by sampling.namespaces["payments"]"#,
        ),
    ] {
        let answer = question(request, namespace, headers, direction).answer(&config);
        assert_eq!(
            (
                answer.decision,
                answer.key.as_str(),
                answer.sentence.as_str()
            ),
            (decision, key, said)
        );
    }
}

#[test]
fn an_exclude_that_nobody_wrote_is_named_as_the_default() {
    let config = config(r#"{"sampling": {}}"#);
    let answer = question("GET /healthz", "shop", &[], Direction::Inbound).answer(&config);
    assert_eq!(
        (answer.decision, answer.reason.as_str(), answer.key.as_str()),
        ("excluded", "exclude", "sampling.exclude")
    );
    assert!(
        answer
            .sentence
            .ends_with("not traced, as one with path /healthz, by the default of sampling.exclude"),
        "{}",
        answer.sentence
    );
    let export = question("POST /api/v2/spans", "shop", &[], Direction::Outbound);
    let sentence = export.answer(&config).sentence;
    assert!(
        sentence.contains("as one with method POST, with path /api/v2/spans, by the default"),
        "{sentence}"
    );
}

#[test]
fn where_nothing_is_decided_that_is_the_answer() {
    for (text, key) in [
        ("{}", "sampling"),
        (
            r#"{"role": "attempt", "export": {"otlp": {"cluster": "c"}}}"#,
            "role",
        ),
    ] {
        let answer =
            question("GET /", "shop", &[SAMPLED], Direction::Inbound).answer(&config(text));
        assert_eq!(
            (answer.decision, answer.key.as_str(), answer.percentage),
            ("untouched", key, None),
            "{text}"
        );
    }
}

#[test]
fn the_percentage_is_that_at_which_the_filter_decides() {
    // At 0 and 100 the filter's own verdict shows which percentage it took.
    let namespaces = r#"{"a": 100, "a*": 0, "*b": 100, "*": 0}"#;
    let rules = r#"[{"match": {"path": "/never"}, "percentage": 0}, {"match": {"path": "/*ys"}, "percentage": 100}]"#;
    let config = config(&format!(
        r#"{{"sampling": {{"percentage": 100, "namespaces": {namespaces}, "rules": {rules}}}}}"#
    ));
    for path in ["/", "/never", "/always"] {
        for namespace in ["a", "ab", "b", "cb", "c", ""] {
            let asked = format!("GET {path}");
            let question = question(&asked, namespace, &[], Direction::Outbound);
            let answer = question.answer(&config);
            let counter = question.reason(&config).unwrap().name();
            let expected = if answer.percentage == Some(100.0) {
                "sampled"
            } else {
                "dropped"
            };
            assert_eq!(
                counter,
                format!("{expected}.{}", answer.reason),
                "{path} in {namespace}"
            );
        }
    }
}

#[test]
fn rules_limits_and_keeping_have_their_place() {
    let rule = |path: &str, labels: &[(&str, &str)]| Match {
        path: Some(PathMatch::Pattern(path.into())),
        labels: labels
            .iter()
            .map(|(name, value)| ((*name).to_owned(), (*value).to_owned()))
            .collect(),
        ..Match::default()
    };
    let other_rules = OtherRules {
        rules: vec![
            (rule("/checkout", &[("app", "other")]), 1.0),
            (rule("/check*", &[("app", "cart")]), 100.0),
            (rule("/*", &[]), 5.0),
        ],
        traces_per_second: Some(100.0),
        keep: Some(Keep {
            errors: true,
            slower_than: Some(Duration::from_millis(1500)),
            spans_per_second: 50.0,
            tell: true,
        }),
        ..OtherRules::default()
    };
    let config = config(CONFIG);
    let ask = |request: &str, headers: &[&str], other_rules: &OtherRules| {
        question(request, "payments", headers, Direction::Inbound).answer_with(&config, other_rules)
    };
    let answer = ask("GET /checkout", &[], &other_rules);
    assert_eq!(
        answer.sentence,
        "a request GET /checkout, inbound, in namespace payments: 100 % by sampling.rules[1]; \
         at most 100 new traces a second and worker; errors and requests slower than 1500ms kept"
    );
    assert_eq!(
        (answer.reason.as_str(), answer.percentage),
        ("rule", Some(100.0))
    );
    assert_eq!(
        ask("GET /other", &[], &other_rules).key,
        "sampling.rules[2]"
    );
    assert_eq!(
        ask("GET /other", &[SAMPLED], &other_rules).key,
        "trust.decision"
    );
    assert_eq!(
        ask("GET /probe", &[], &other_rules).key,
        "sampling.exclude[0]"
    );
    let at_edge = OtherRules {
        edge_keep: Some(Keep {
            errors: false,
            slower_than: None,
            spans_per_second: 50.0,
            tell: true,
        }),
        ..other_rules.clone()
    };
    let edge = question("GET /other", "payments", &[], Direction::Edge);
    assert!(
        !edge
            .answer_with(&config, &at_edge)
            .sentence
            .contains("kept")
    );
    assert!(
        edge.answer_with(&config, &other_rules)
            .sentence
            .ends_with("kept")
    );
    let remote = OtherRules {
        remote: Some("jaeger:5778".into()),
        keep: Some(Keep {
            errors: true,
            slower_than: None,
            spans_per_second: 50.0,
            tell: true,
        }),
        ..OtherRules::default()
    };
    assert!(ask("GET /checkout", &[], &remote).sentence.ends_with(
        r#"50 % by sampling.namespaces["payments"]; until sampling.remote has present; errors kept"#
    ));
}

#[test]
fn a_question_that_cannot_be_read_says_how_it_is_written() {
    let ask = |request: &str, headers: &[&str], labels: &[&str]| {
        let owned = |list: &[&str]| {
            list.iter()
                .map(|text| (*text).to_owned())
                .collect::<Vec<_>>()
        };
        Question::parse(
            request,
            None,
            &owned(headers),
            &owned(labels),
            Direction::Inbound,
        )
        .unwrap_err()
        .to_string()
    };
    for request in ["", "GET", "checkout", "GET checkout", "GET /a b"] {
        assert!(
            ask(request, &[], &[]).contains("expected a method and a path"),
            "{request}"
        );
    }
    assert_eq!(
        ask("/", &["x"], &[]),
        r#"--header "x": expected 'name: value'"#
    );
    assert_eq!(ask("/", &[], &["x"]), r#"--label "x": expected name=value"#);
}
