//! Configurations, and the sentences on them.

use std::time::Duration;

use super::*;
use sidespan_core::direction::Direction;
use sidespan_core::sampling::request_match::PathMatch;
use sidespan_core::sampling::settings::Keep;

fn told(text: &str, other_rules: &OtherRules) -> Vec<String> {
    let config = Config::parse(text.as_bytes()).unwrap();
    let explanation = Explanation::with(&config, other_rules);
    explanation
        .steps
        .into_iter()
        .map(|step| step.sentence)
        .collect()
}

fn alone(text: &str) -> Vec<String> {
    told(text, &OtherRules::default())
}

const PROBES: &str = "a probe of Kubernetes, of Envoy or of a cloud's load balancer, a gRPC health check, a scrape of \
    metrics, an export of OTLP or to Zipkin, Jaeger or Datadog's agent: not traced, by the default of sampling.exclude";
const FOLLOWED: &str =
    "a request with a decision: followed, whatever the percentages, by trust.decision: accept";
const DEBUG: &str = "a request that asks for debugging: recorded, by trust.debug";

#[test]
fn namespaces_come_in_the_order_in_which_the_filter_looks_for_them() {
    assert_eq!(
        alone(
            r#"{"sampling": {"percentage": 2.5, "namespaces": {"t*": 1, "team-*": 10, "payments": 50}}}"#
        ),
        [
            PROBES,
            FOLLOWED,
            DEBUG,
            r#"a new trace in namespace payments: 50 %, by sampling.namespaces["payments"]"#,
            r#"a new trace in a namespace like team-*: 10 %, by sampling.namespaces["team-*"]"#,
            r#"a new trace in a namespace like t*: 1 %, by sampling.namespaces["t*"]"#,
            "any other new trace: 2.5 %, by sampling.percentage",
        ]
    );
}

#[test]
fn a_percentage_that_is_never_reached_is_not_told() {
    let told = alone(r#"{"sampling": {"namespaces": {"*": 7}, "exclude": []}}"#);
    assert_eq!(
        told,
        [
            FOLLOWED,
            DEBUG,
            r#"a new trace in any other namespace, or in none: 7 %, by sampling.namespaces["*"]"#
        ]
    );
}

#[test]
fn excludes_are_told_one_by_one_with_all_their_conditions() {
    let told = alone(
        r#"{"sampling": {"exclude": [
            {"path": "/orders/{id}", "method": ["GET", "HEAD"], "direction": "inbound"},
            {"headers": {"x-a": "1*"}, "userAgent": "k6/*", "namespace": "load*", "labels": {"app": "k6"}}
        ]}, "gateway": {"exclude": []}}"#,
    );
    assert_eq!(
        &told[..3],
        [
            "a request with method GET or HEAD, with path /orders/{id}, inbound: not traced, by sampling.exclude[0]",
            "a request with a header x-a that fits its pattern, with user-agent k6/*, in namespace load*, of a workload with label app=k6: not \
             traced, by sampling.exclude[1]",
            "at an edge: nothing is excluded, by gateway.exclude in place of sampling.exclude",
        ]
    );
}

#[test]
fn trust_is_told_as_it_is_set() {
    for (trust, expected) in [
        (
            r#""decision": "ignore""#,
            &["a request with a decision: decided here all the same, by trust.decision: ignore"][..],
        ),
        (
            r#""context": "restart""#,
            &[
                "a request with a context: a new trace begins, linked to the old one, by trust.context: restart",
            ],
        ),
        (
            r#""context": "ignore""#,
            &["a request with a context: a new trace begins, by trust.context: ignore"],
        ),
        (
            r#""debug": false"#,
            &[
                FOLLOWED,
                "a request that asks for debugging: no more than sampled, by trust.debug: false",
            ],
        ),
    ] {
        let told = alone(&format!(
            r#"{{"sampling": {{"exclude": []}}, "trust": {{{trust}}}}}"#
        ));
        assert_eq!(told[..told.len() - 1], *expected, "{trust}");
    }
    let edge =
        alone(r#"{"sampling": {"exclude": []}, "gateway": {"trust": {"context": "restart"}}}"#);
    assert!(
        edge[2].starts_with("at an edge, a request with a context"),
        "{edge:?}"
    );
}

#[test]
fn what_decides_nothing_says_so() {
    for (text, key) in [
        ("{}", "neither sampling nor export.otlp is set"),
        (r#"{"role": "attempt"}"#, "role: attempt"),
    ] {
        let told = alone(text);
        assert!(told.len() == 1 && told[0].contains(key), "{told:?}");
    }
}

#[test]
fn what_the_filter_gets_later_has_its_place_in_the_order() {
    let other_rules = OtherRules {
        rules: vec![(
            Match {
                path: Some(PathMatch::Pattern("/checkout".into())),
                ..Match::default()
            },
            100.0,
        )],
        traces_per_second: Some(100.0),
        keep: Some(Keep {
            errors: true,
            slower_than: Some(Duration::from_secs(2)),
            spans_per_second: 50.0,
            tell: true,
        }),
        edge_keep: Some(Keep {
            errors: true,
            slower_than: None,
            spans_per_second: 5.0,
            tell: true,
        }),
        remote: Some("jaeger:5778".into()),
    };
    let told = told(
        r#"{"sampling": {"exclude": [], "percentage": 1}}"#,
        &other_rules,
    );
    assert_eq!(
        &told[2..],
        [
            "a new trace from a request with path /checkout: 100 %, by sampling.rules[0]",
            "once jaeger:5778 has present: its percentages in place of the following, by sampling.remote",
            "a new trace: 1 %, by sampling.percentage",
            "more than 100 new traces a second and worker: not traced, by sampling.rateLimit.tracesPerSecond",
            "of what was not sampled, errors and requests slower than 2s kept after the response, at most 50 spans a second and \
             worker, by sampling.keep",
            "at an edge, of what was not sampled, errors kept after the response, at most 5 spans a second and worker, by \
             gateway.keep",
        ]
    );
    let nothing = OtherRules {
        keep: Some(Keep {
            errors: false,
            slower_than: None,
            spans_per_second: 50.0,
            tell: true,
        }),
        ..OtherRules::default()
    };
    assert_eq!(nothing.afterwards(), []);
    assert_eq!(nothing.kept(Direction::Inbound), None);
}
