//! `$.spans`.

use super::{accepts, is_not_built, parse, refuses};
use crate::config::{Attribute, AttributeSource};
use alloc::format;
use alloc::string::{String, ToString};
use alloc::vec::Vec;
use serde_json::json;

const SOURCES: &str = "requestHeader, responseHeader, literal, environment, property, baggage";

#[test]
fn an_empty_service_name_is_none() {
    assert_eq!(
        parse(r#"{"spans": {"serviceName": ""}}"#)
            .spans
            .service_name,
        None
    );
    let named = parse(r#"{"spans": {"serviceName": "cart"}}"#)
        .spans
        .service_name;
    assert_eq!(named.as_deref(), Some("cart"));
}

#[test]
fn refuses_at_its_path() {
    refuses(&[
        (
            "/spans/serviceName",
            "5",
            "$.spans.serviceName: expected a string, found 5; quote it",
        ),
        (
            "/spans/serviceName",
            "true",
            "$.spans.serviceName: expected a string, found true; quote it",
        ),
        (
            "/spans/service_name",
            "\"x\"",
            "$.spans.service_name: unknown key; did you mean `serviceName`?",
        ),
        (
            "/spans/routes",
            "{}",
            "$.spans.routes: expected a list of templates, found an object",
        ),
        (
            "/spans/conventions",
            "\"new\"",
            "$.spans.conventions: expected stable, old or both, found \"new\"",
        ),
        (
            "/spans/accessLog",
            "\"on\"",
            "$.spans.accessLog: expected true or false, found \"on\"",
        ),
        (
            "/spans/omit",
            "\"url.query\"",
            "$.spans.omit: expected a list of names of attributes, found \"url.query\"",
        ),
        (
            "/spans/redactQuery",
            "{}",
            "$.spans.redactQuery: expected a list of keys, found an object",
        ),
        (
            "/spans/resource",
            "[]",
            "$.spans.resource: expected an object, found a list",
        ),
    ]);
}

#[test]
fn refuses_inside_of_what_is_not_in_this_version() {
    let rows = [
        (
            "/spans/routes",
            "[\"api\"]",
            "routes",
            "[0]: expected a template of a path such as /api/orders/{id}, found \"api\"",
        ),
        (
            "/spans/routes",
            "[\"/a/*\"]",
            "routes",
            "[0]: `*` is not for templates; write {name} for one segment of the path",
        ),
        (
            "/spans/routes",
            "[\"/a?b\"]",
            "routes",
            "[0]: paths are compared up to `?` or `#`; leave the query out",
        ),
        (
            "/spans/routes",
            "[\"/a\", \"/a\"]",
            "routes",
            "[1]: repeats entry 0 of the list",
        ),
        (
            "/spans/resource",
            r#"{"": "x"}"#,
            "resource",
            "[\"\"]: expected the name of an attribute, found an empty key",
        ),
        (
            "/spans/resource",
            r#"{"a.b": 1}"#,
            "resource",
            "[\"a.b\"]: expected a string, found 1; quote it",
        ),
        (
            "/spans/omit",
            "[\"\"]",
            "omit",
            "[0]: expected the name of an attribute, found \"\"",
        ),
        (
            "/spans/redactQuery",
            "[1]",
            "redactQuery",
            "[0]: expected a key of a query, found 1; quote it",
        ),
    ];
    for (pointer, value, key, expected) in rows {
        let expected = format!("$.spans.{key}: not in this version\n$.spans.{key}{expected}");
        refuses(&[(pointer, value, &expected)]);
    }
}

#[test]
fn refuses_what_is_not_in_this_version() {
    let templates = |count: usize| -> String {
        let list: Vec<_> = (0..count)
            .map(|number| format!("/{number}/{{id}}"))
            .collect();
        json!(list).to_string()
    };
    is_not_built(&[
        ("/spans/routes", &templates(256), "$.spans.routes"),
        (
            "/spans/resource",
            r#"{"deployment.environment.name": "prod"}"#,
            "$.spans.resource",
        ),
        ("/spans/omit", r#"["client.address"]"#, "$.spans.omit"),
        ("/spans/conventions", "\"old\"", "$.spans.conventions"),
        ("/spans/conventions", "\"both\"", "$.spans.conventions"),
        ("/spans/redactQuery", r#"["token"]"#, "$.spans.redactQuery"),
        ("/spans/accessLog", "true", "$.spans.accessLog"),
    ]);
    let too_many = "$.spans.routes: expected at most 256 templates, found 257\n$.spans.routes: not in this version";
    refuses(&[("/spans/routes", &templates(257), too_many)]);
}

#[test]
fn refuses_an_attribute_at_its_path() {
    const NOT_BUILT: &str = "$.spans.attributes[0]: not in this version\n";
    for (value, before, expected) in [
        ("[1]", "", "[0]: expected an object, found 1"),
        (
            r#"[{"literal": "x"}]"#,
            NOT_BUILT,
            "[0]: expected the key name, found none",
        ),
        (
            r#"[{"name": "a"}]"#,
            "",
            &format!("[0]: expected one source of {SOURCES}, found 0"),
        ),
        (
            r#"[{"name": "a", "literal": "x", "property": "b"}]"#,
            NOT_BUILT,
            &format!("[0]: expected one source of {SOURCES}, found 2"),
        ),
        (
            r#"[{"name": "", "literal": "x"}]"#,
            NOT_BUILT,
            "[0].name: expected the name of an attribute, found \"\"",
        ),
        (
            r#"[{"name": "http.route", "literal": "x"}]"#,
            NOT_BUILT,
            "[0].name: http.route is an attribute of the filter's own; choose another name",
        ),
        (
            r#"[{"name": "sidespan.x", "literal": "x"}]"#,
            NOT_BUILT,
            "[0].name: sidespan.x is an attribute of the filter's own; choose another name",
        ),
        (
            r#"[{"name": "a", "requestHeader": "X-Tenant"}]"#,
            NOT_BUILT,
            "[0].requestHeader: expected the name of a header in lower case; did you mean `x-tenant`?",
        ),
        (
            r#"[{"name": "a", "requestHeader": "Authorization"}]"#,
            NOT_BUILT,
            "[0].requestHeader: the header Authorization carries secrets and is never recorded",
        ),
        (
            r#"[{"name": "a", "responseHeader": "set-cookie"}]"#,
            NOT_BUILT,
            "[0].responseHeader: the header set-cookie carries secrets and is never recorded",
        ),
        (
            r#"[{"name": "a", "literal": 12345}]"#,
            NOT_BUILT,
            "[0].literal: expected a string, found a number; quote it",
        ),
        (
            r#"[{"name": "a", "environment": ""}]"#,
            NOT_BUILT,
            "[0].environment: expected the name of an environment variable, found \"\"",
        ),
        (
            r#"[{"name": "a", "property": 1}]"#,
            NOT_BUILT,
            "[0].property: expected the dotted path of a property such as xds.cluster_name, found 1; quote it",
        ),
        (
            r#"[{"name": "a", "baggage": ""}]"#,
            "",
            "[0].baggage: expected a key of the baggage, found \"\"",
        ),
        (
            r#"[{"name": "a", "header": "b", "literal": "c"}]"#,
            NOT_BUILT,
            "[0].header: unknown key; known here: name, requestHeader, responseHeader, literal, environment, property, baggage, default",
        ),
    ] {
        let expected = format!("{before}$.spans.attributes{expected}");
        refuses(&[("/spans/attributes", value, &expected)]);
    }
}

#[test]
fn bg_21_reads_attributes_from_baggage_and_refuses_the_others_one_by_one() {
    let config = parse(
        r#"{"spans": {"attributes": [
            {"name": "user", "baggage": "user.id"}, {"name": "tenant", "baggage": "t", "default": ""}
        ]}}"#,
    );
    let attribute = |name: &str, key: &str, default: Option<&str>| Attribute {
        name: name.into(),
        source: AttributeSource::Baggage(key.into()),
        default: default.map(Into::into),
    };
    assert_eq!(
        config.spans.attributes,
        [
            attribute("user", "user.id", None),
            attribute("tenant", "t", Some(""))
        ]
    );
    let mixed = json!([
        {"name": "user", "baggage": "user.id"},
        {"name": "tenant", "requestHeader": "x-tenant"},
        {"name": "env", "literal": "prod"},
        {"name": "build", "environment": "BUILD", "default": "dev"},
        {"name": "zone", "property": "node.metadata.ZONE"},
        {"name": "http.response.header.x-a", "responseHeader": "x-a"}
    ]);
    let expected: Vec<_> = (1..6)
        .map(|index| format!("$.spans.attributes[{index}]: not in this version"))
        .collect();
    refuses(&[(
        "/spans/attributes",
        &mixed.to_string(),
        &expected.join("\n"),
    )]);
    let rows = |count: usize| -> String {
        let list: Vec<_> = (0..count)
            .map(|number| json!({"name": format!("a{number}"), "baggage": "b"}))
            .collect();
        json!(list).to_string()
    };
    accepts(&[("/spans/attributes", &rows(64))]);
    let too_many = "$.spans.attributes: expected at most 64 attributes, found 65";
    refuses(&[("/spans/attributes", &rows(65), too_many)]);
}
