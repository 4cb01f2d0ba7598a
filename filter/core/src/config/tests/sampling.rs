//! The section `$.sampling`, and the matches that `$.gateway` shares with it.

use super::{accepts, parse, refuses};
use crate::sampling::settings::{Remote, Sampling};
use alloc::format;
use alloc::string::{String, ToString};
use alloc::vec::Vec;
use core::time::Duration;
use serde_json::json;

#[test]
fn reads_percentages() {
    for (written, expected) in [
        ("0", 0.0),
        ("-0.0", 0.0),
        ("100", 100.0),
        ("1.5", 1.5),
        ("1e-14", 1e-14),
        ("1.3877787807814457e-15", 1.387_778_780_781_445_7e-15),
    ] {
        let config = parse(&format!(r#"{{"sampling": {{"percentage": {written}}}}}"#));
        let percentage = config.sampling.unwrap().percentage;
        assert_eq!(percentage.to_bits(), f64::to_bits(expected), "{written}");
    }
}

#[test]
fn chooses_the_exact_name_then_the_most_literal_then_the_first_in_the_alphabet() {
    let sampling = |namespaces: serde_json::Value| -> Sampling {
        parse(&json!({"sampling": {"percentage": 7, "namespaces": namespaces}}).to_string())
            .sampling
            .unwrap()
    };
    let mixed = json!({
        "*": 1, "team-*": 2, "team-a*": 3, "*-a1": 4, "team-a1": 5, "t*a*m-b": 6, "*eam-b*": 8, "team-b*": 9
    });
    for (namespaces, namespace, pattern, percentage) in [
        (json!({}), Some("payments"), None, 7.0),
        (json!({"orders": 50}), Some("payments"), None, 7.0),
        (
            json!({"payments": 50, "*": 0}),
            Some("payments"),
            Some("payments"),
            50.0,
        ),
        (
            json!({"payments": 100, "*": 0}),
            Some("orders"),
            Some("*"),
            0.0,
        ),
        (json!({"payments": 100, "*": 0}), None, Some("*"), 0.0),
        (json!({"payments": 100, "*": 0}), Some(""), Some("*"), 0.0),
        (json!({"payments": 100, "**": 0, "p*": 3}), None, None, 7.0),
        (json!({"Payments": 50}), Some("payments"), None, 7.0),
        (json!({"pay": 50}), Some("payments"), None, 7.0),
        (mixed.clone(), Some("team-a1"), Some("team-a1"), 5.0),
        (mixed.clone(), Some("team-a2"), Some("team-a*"), 3.0),
        (mixed.clone(), Some("team-c"), Some("team-*"), 2.0),
        (mixed.clone(), Some("b-a1"), Some("*-a1"), 4.0),
        // `*eam-b*`, `t*a*m-b` have one literal character less than `team-b*`.
        (mixed.clone(), Some("team-b"), Some("team-b*"), 9.0),
        (mixed, Some("other"), Some("*"), 1.0),
        (
            json!({"*ab": 1, "a*b": 2, "ab*": 3}),
            Some("ab"),
            Some("*ab"),
            1.0,
        ),
        (json!({"ab*": 3, "a*b": 2}), Some("ab"), Some("a*b"), 2.0),
        (json!({"a*b": 2, "ab*": 3}), Some("ab"), Some("a*b"), 2.0),
        // Characters count, not bytes.
        (
            json!({"éé*": 1, "*abc": 2}),
            Some("ééabc"),
            Some("*abc"),
            2.0,
        ),
    ] {
        let sampling = sampling(namespaces);
        let entry = sampling
            .entry_for(namespace)
            .map(|(pattern, _)| pattern.as_str());
        assert_eq!(entry, pattern, "{namespace:?} in {:?}", sampling.namespaces);
        assert_eq!(
            sampling.percentage_for(namespace),
            percentage,
            "{namespace:?}"
        );
    }
}

#[test]
fn refuses_at_its_path() {
    refuses(&[
        (
            "/sampling",
            "[]",
            "$.sampling: expected an object, found a list",
        ),
        (
            "/sampling/percentage",
            "100.001",
            "$.sampling.percentage: expected a percentage from 0 to 100, found 100.001",
        ),
        (
            "/sampling/percentage",
            "-0.1",
            "$.sampling.percentage: expected a percentage from 0 to 100, found -0.1",
        ),
        (
            "/sampling/percentage",
            "\"50%\"",
            "$.sampling.percentage: expected a percentage from 0 to 100, found \"50%\"",
        ),
        (
            "/sampling/percentage",
            "\"50\"",
            "$.sampling.percentage: expected a percentage from 0 to 100, found \"50\"; leave the quotes out",
        ),
        (
            "/sampling/percentage",
            "1.3e-15",
            "$.sampling.percentage: expected 0 or at least 1.3877787807814457e-15, found 1.3e-15",
        ),
        (
            "/sampling/percentage",
            "null",
            "$.sampling.percentage: expected a percentage from 0 to 100, found null; leave the key out for its default",
        ),
        (
            "/sampling/namespaces",
            "50",
            "$.sampling.namespaces: expected an object, found 50",
        ),
        (
            "/sampling/namespaces/",
            "50",
            "$.sampling.namespaces[\"\"]: expected the name of a namespace or a pattern, found an empty key",
        ),
        (
            "/sampling/namespaces/team-*",
            "true",
            "$.sampling.namespaces[\"team-*\"]: expected a percentage from 0 to 100, found true",
        ),
        (
            "/sampling/namespaces/pay",
            "{}",
            "$.sampling.namespaces.pay: expected a percentage from 0 to 100, found an object",
        ),
        (
            "/sampling/rateLimit/tracesPerSecond",
            "-1",
            "$.sampling.rateLimit.tracesPerSecond: expected a rate a second, 0 or more, found -1",
        ),
        (
            "/sampling/rateLimit/perSecond",
            "1",
            "$.sampling.rateLimit.perSecond: unknown key; known here: tracesPerSecond",
        ),
        (
            "/sampling/keep/errors",
            "\"yes\"",
            "$.sampling.keep.errors: expected true or false, found \"yes\"",
        ),
        (
            "/sampling/keep/slowerThan",
            "\"2\"",
            "$.sampling.keep.slowerThan: expected a duration from 1ms to 1h such as \"5s\", found \"2\"; write a whole number and ms, s, m or h",
        ),
        (
            "/sampling/keep/spansPerSecond",
            "\"50\"",
            "$.sampling.keep.spansPerSecond: expected a rate a second, 0 or more, found \"50\"; leave the quotes out",
        ),
        (
            "/sampling/keep/tell",
            "1",
            "$.sampling.keep.tell: expected true or false, found 1",
        ),
        (
            "/sampling/consistent",
            "null",
            "$.sampling.consistent: expected true or false, found null; leave the key out for its default",
        ),
        (
            "/sampling/remote",
            r#"{"path": "/sampling"}"#,
            "$.sampling.remote: expected service or cluster, found neither",
        ),
        (
            "/sampling/remote",
            r#"{"cluster": "c", "interval": "2h"}"#,
            "$.sampling.remote.interval: expected a duration from 1ms to 1h such as \"5s\", found \"2h\"",
        ),
        (
            "/sampling/rules",
            r#"[{"match": {"path": "/a"}}]"#,
            "$.sampling.rules[0]: expected the key percentage, found none",
        ),
        (
            "/sampling/rules",
            r#"[{"percentage": 1}]"#,
            "$.sampling.rules[0]: expected the key match, found none",
        ),
        (
            "/sampling/rules",
            r#"[{"match": {}, "percentage": 1}]"#,
            "$.sampling.rules[0].match: expected at least one of path, method, direction, headers, userAgent, namespace, labels, found none",
        ),
    ]);
}

#[test]
fn refuses_a_match_at_its_path() {
    const CONDITIONS: &str = "path, method, direction, headers, userAgent, namespace, labels";
    let at = "$.sampling.exclude[2]";
    for (key, value, expected) in [
        (
            "path",
            "\"\"",
            r#".path: expected a pattern of paths that begins with / or *, found """#,
        ),
        (
            "path",
            "\"orders\"",
            r#".path: expected a pattern of paths that begins with / or *, found "orders""#,
        ),
        (
            "path",
            "\"/a?b=*\"",
            ".path: paths are compared up to `?` or `#`; leave the query out",
        ),
        (
            "path",
            "\"/a/{id}#x\"",
            ".path: paths are compared up to `?` or `#`; leave the query out",
        ),
        (
            "path",
            "\"/a/{id}/*\"",
            ".path: `*` is not for templates; write {name} for one segment of the path",
        ),
        (
            "path",
            "\"/a/x{id}\"",
            r#".path: expected {name} to be a whole segment of the path, found "/a/x{id}""#,
        ),
        (
            "path",
            "\"/a/{}\"",
            r#".path: expected {name} to be a whole segment of the path, found "/a/{}""#,
        ),
        (
            "path",
            "\"/a/{{id}}\"",
            r#".path: expected {name} to be a whole segment of the path, found "/a/{{id}}""#,
        ),
        (
            "path",
            "\"a/{id}\"",
            r#".path: expected a template of a path such as /api/orders/{id}, found "a/{id}""#,
        ),
        (
            "path",
            "5",
            ".path: expected a pattern of paths that begins with / or *, found 5; quote it",
        ),
        (
            "method",
            "\"get\"",
            r#".method: expected a method such as GET, in upper case, found "get"; did you mean `GET`?"#,
        ),
        (
            "method",
            "\"\"",
            r#".method: expected a method such as GET, in upper case, found """#,
        ),
        (
            "method",
            "[\"GET\", \"G T\"]",
            r#".method[1]: expected a method such as GET, in upper case, found "G T""#,
        ),
        (
            "method",
            "[\"GET\", \"GET\"]",
            ".method[1]: repeats entry 0 of the list",
        ),
        (
            "method",
            "[]",
            ".method: expected at least one entry, found none",
        ),
        (
            "direction",
            "\"auto\"",
            r#".direction: expected inbound, outbound or edge, found "auto""#,
        ),
        (
            "headers",
            "{}",
            ".headers: expected at least one entry, found none",
        ),
        (
            "headers",
            r#"{"X-Canary": "*"}"#,
            r#".headers["X-Canary"]: expected the name of a header in lower case; did you mean `x-canary`?"#,
        ),
        (
            "headers",
            r#"{":path": "*"}"#,
            r#".headers[":path"]: expected the name of a header, in lower case"#,
        ),
        (
            "headers",
            r#"{"x-user": 5}"#,
            r#".headers["x-user"]: expected a pattern, found a number; quote it"#,
        ),
        (
            "headers",
            "[\"x-canary\"]",
            ".headers: expected an object, found a list",
        ),
        (
            "userAgent",
            "5",
            ".userAgent: expected a pattern, found 5; quote it",
        ),
        (
            "namespace",
            "\"\"",
            r#".namespace: expected the name of a namespace or a pattern, found """#,
        ),
        (
            "labels",
            r#"{"version": 2}"#,
            ".labels.version: expected a pattern, found 2; quote it",
        ),
        (
            "labels",
            r#"{"": "x"}"#,
            r#".labels[""]: expected the name of a label, found an empty key"#,
        ),
        (
            "useragent",
            "\"x\"",
            ".useragent: unknown key; did you mean `userAgent`?",
        ),
        (
            "status",
            "500",
            &format!(".status: unknown key; known here: {CONDITIONS}"),
        ),
    ] {
        refuses(&[(
            &format!("/sampling/exclude/2/{key}"),
            value,
            &format!("{at}{expected}"),
        )]);
    }
    refuses(&[
        (
            "/sampling/exclude/2",
            "{}",
            &format!("{at}: expected at least one of {CONDITIONS}, found none"),
        ),
        (
            "/sampling/exclude/2",
            "\"/x\"",
            &format!("{at}: expected an object, found \"/x\""),
        ),
        (
            "/sampling/exclude/2",
            r#"{"path": "/health"}"#,
            &format!("{at}: repeats entry 1 of the list"),
        ),
    ]);
}

#[test]
fn a_match_is_the_same_whatever_the_order_of_its_keys() {
    let list = r#"[{"path": "/a", "method": "GET"}, {"method": "GET", "path": "/a"}]"#;
    refuses(&[(
        "/sampling/exclude",
        list,
        "$.sampling.exclude[1]: repeats entry 0 of the list",
    )]);
}

#[test]
fn mf_13_reads_every_condition_of_a_match() {
    use crate::sampling::request_match::{Match, PathMatch};
    let pair = |name: &str, pattern: &str| (String::from(name), String::from(pattern));
    let config = parse(
        r#"{"sampling": {"exclude": [
            {"path": "/a/*"}, {"path": "/a/{b}"}, {"method": "GET"}, {"method": ["GET", "PUT"]}, {"direction": "edge"},
            {"headers": {"x-a": "1*", "x-b": ""}}, {"userAgent": ""}, {"namespace": "pay*"}, {"labels": {"app": "cart"}}
        ]}, "gateway": {"exclude": [{"labels": {"tier": "*", "app": "x"}}]}}"#,
    );
    let none = Match::default;
    let expected = [
        Match {
            path: Some(PathMatch::Pattern("/a/*".into())),
            ..none()
        },
        Match {
            path: Some(PathMatch::Template("/a/{b}".into())),
            ..none()
        },
        Match {
            methods: ["GET".into()].into(),
            ..none()
        },
        Match {
            methods: ["GET".into(), "PUT".into()].into(),
            ..none()
        },
        Match {
            direction: Some(crate::direction::Direction::Edge),
            ..none()
        },
        Match {
            headers: [pair("x-a", "1*"), pair("x-b", "")].into(),
            ..none()
        },
        Match {
            user_agent: Some(String::new()),
            ..none()
        },
        Match {
            namespace: Some("pay*".into()),
            ..none()
        },
        Match {
            labels: [pair("app", "cart")].into(),
            ..none()
        },
    ];
    assert_eq!(config.labels(), ["app", "tier"]);
    assert_eq!(config.sampling.unwrap().exclude, expected);
    assert_eq!(config.gateway_exclude.unwrap().len(), 1);
}

#[test]
fn a_list_of_excludes_replaces_the_defaults() {
    for (written, count) in [
        ("{}", 26),
        (r#"{"exclude": []}"#, 0),
        (r#"{"exclude": [{"path": "/a"}]}"#, 1),
    ] {
        let config = parse(&format!(r#"{{"sampling": {written}}}"#));
        assert_eq!(config.sampling.unwrap().exclude.len(), count, "{written}");
    }
}

#[test]
fn accepts_excludes_of_every_kind_and_what_has_no_effect_yet() {
    accepts(&[
        ("/sampling/exclude", "[]"),
        ("/sampling/exclude", r#"[{"path": "*/health"}]"#),
        ("/sampling/exclude", r#"[{"path": "/a/{b}/c/{d}"}]"#),
        (
            "/sampling/exclude",
            r#"[{"method": "OPTIONS"}, {"userAgent": ""}]"#,
        ),
        ("/sampling/keep", "{}"),
        ("/sampling/keep/errors", "false"),
        ("/sampling/keep/slowerThan", "\"250ms\""),
        ("/sampling/keep/spansPerSecond", "0"),
        ("/sampling/keep/tell", "false"),
        ("/sampling/consistent", "false"),
        ("/gateway/exclude", "[]"),
    ]);
}

#[test]
fn limits_of_count() {
    let paths = |count: usize| -> String {
        let list: Vec<_> = (0..count)
            .map(|number| json!({"path": format!("/{number}")}))
            .collect();
        json!(list).to_string()
    };
    let namespaces = |count: usize| -> String {
        let object: serde_json::Map<_, _> = (0..count)
            .map(|number| (number.to_string(), json!(1)))
            .collect();
        json!(object).to_string()
    };
    let rules = |count: usize| -> String {
        let rule = |number| json!({"match": {"path": format!("/{number}")}, "percentage": 1});
        let list: Vec<_> = (0..count).map(rule).collect();
        json!(list).to_string()
    };
    accepts(&[
        ("/sampling/exclude", &paths(32)),
        ("/sampling/namespaces", &namespaces(256)),
        ("/sampling/rules", &rules(64)),
    ]);
    refuses(&[
        (
            "/sampling/exclude",
            &paths(33),
            "$.sampling.exclude: expected at most 32 matches, found 33",
        ),
        (
            "/gateway/exclude",
            &paths(33),
            "$.gateway.exclude: expected at most 32 matches, found 33",
        ),
        (
            "/sampling/namespaces",
            &namespaces(257),
            "$.sampling.namespaces: expected at most 256 keys, found 257",
        ),
        (
            "/sampling/rules",
            &rules(65),
            "$.sampling.rules: expected at most 64 rules, found 65",
        ),
    ]);
}

#[test]
fn reads_rules_limits_and_a_source() {
    let sampling = |json: &str| {
        let config = parse(&format!(r#"{{"sampling": {json}}}"#));
        config.sampling.unwrap()
    };
    let read = sampling(
        r#"{"rules": [{"match": {"method": "GET", "labels": {"app": "cart"}}, "percentage": 5}]}"#,
    );
    assert_eq!(read.rules.len(), 1);
    assert_eq!(read.rules[0].percentage.to_bits(), 5.0_f64.to_bits());
    assert_eq!(read.rules[0].condition.methods, ["GET"]);
    let labels =
        r#"{"sampling": {"rules": [{"match": {"labels": {"app": "cart"}}, "percentage": 5}]}}"#;
    assert!(parse(labels).labels().contains(&"app"));
    let limited = sampling(r#"{"rateLimit": {"tracesPerSecond": 100}, "consistent": false}"#);
    assert_eq!(limited.traces_per_second, Some(100.0));
    assert!(!limited.consistent);
    assert_eq!(sampling(r#"{"rateLimit": {}}"#).traces_per_second, None);
    for (json, cluster, authority, path, seconds) in [
        (
            r#"{"service": "jaeger.observability.svc.cluster.local"}"#,
            "outbound|5778||jaeger.observability.svc.cluster.local",
            "jaeger.observability.svc.cluster.local:5778",
            "/sampling",
            60,
        ),
        (
            r#"{"cluster": "jaeger", "path": "/api/sampling", "interval": "5s"}"#,
            "jaeger",
            "jaeger",
            "/api/sampling",
            5,
        ),
    ] {
        let expected = Remote {
            cluster: cluster.into(),
            authority: authority.into(),
            path: path.into(),
            interval: Duration::from_secs(seconds),
        };
        let read = sampling(&format!(r#"{{"remote": {json}}}"#));
        assert_eq!(read.remote, Some(expected));
    }
}
