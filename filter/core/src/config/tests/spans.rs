//! The section `$.spans`.

use super::{accepts, errors, parse, refuses};
use crate::semconv::settings::{AttributeSource, Conventions, CustomAttribute};
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
fn refuses_an_entry_at_its_path() {
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
            "[\"a.b\"]: expected a string, found a number; quote it",
        ),
        (
            "/spans/resource",
            r#"{"telemetry.sdk.name": "x"}"#,
            "resource",
            "[\"telemetry.sdk.name\"]: telemetry.sdk.name is an attribute of the filter's own; choose another name",
        ),
        (
            "/spans/omit",
            "[\"client.adress\"]",
            "omit",
            "[0]: \"client.adress\" is no attribute that can be left out; did you mean `client.address`?",
        ),
        (
            "/spans/omit",
            "[\"sidespan.decision\"]",
            "omit",
            "[0]: \"sidespan.decision\" is no attribute that can be left out; one of spans.attributes is left out by not listing it there",
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
        let expected = format!("$.spans.{key}{expected}");
        refuses(&[(pointer, value, &expected)]);
    }
}

#[test]
fn reads_all_that_spans_say() {
    let spans = parse(
        r#"{"spans": {
            "routes": ["/a/{id}", "/b"],
            "resource": {"deployment.environment.name": "prod", "a": "b"},
            "omit": ["client.address", "http.target"],
            "conventions": "both",
            "redactQuery": ["token"],
            "accessLog": true
        }}"#,
    )
    .spans;
    assert_eq!(spans.routes, ["/a/{id}", "/b"]);
    let pair = |key: &str, value: &str| (key.to_string(), value.to_string());
    assert_eq!(
        spans.resource,
        [pair("deployment.environment.name", "prod"), pair("a", "b")]
    );
    assert_eq!(spans.omit, ["client.address", "http.target"]);
    assert_eq!(spans.conventions, Conventions::Both);
    assert_eq!(spans.redact_query, ["token"]);
    assert!(spans.access_log);
}

#[test]
fn accepts_as_many_routes_as_the_contract_says() {
    let templates = |count: usize| -> String {
        let list: Vec<_> = (0..count)
            .map(|number| format!("/{number}/{{id}}"))
            .collect();
        json!(list).to_string()
    };
    accepts(&[("/spans/routes", &templates(256))]);
    let too_many = "$.spans.routes: expected at most 256 templates, found 257";
    refuses(&[("/spans/routes", &templates(257), too_many)]);
}

#[test]
fn refuses_two_names_for_one_service() {
    assert_eq!(
        errors(r#"{"spans": {"serviceName": "a", "resource": {"service.name": "b"}}}"#),
        "$.spans.resource[\"service.name\"]: spans.serviceName says it too; leave one of them out"
    );
    assert_eq!(
        errors(r#"{"spans": {"serviceName": "", "resource": {"service.name": "b"}}}"#),
        "fine"
    );
}

#[test]
fn refuses_an_attribute_at_its_path() {
    for (value, expected) in [
        ("[1]", "[0]: expected an object, found 1"),
        (
            r#"[{"literal": "x"}]"#,
            "[0]: expected the key name, found none",
        ),
        (
            r#"[{"name": "a"}]"#,
            &format!("[0]: expected one source of {SOURCES}, found 0"),
        ),
        (
            r#"[{"name": "a", "literal": "x", "property": "b"}]"#,
            &format!("[0]: expected one source of {SOURCES}, found 2"),
        ),
        (
            r#"[{"name": "", "literal": "x"}]"#,
            "[0].name: expected the name of an attribute, found \"\"",
        ),
        (
            r#"[{"name": "http.route", "literal": "x"}]"#,
            "[0].name: http.route is an attribute of the filter's own; choose another name",
        ),
        (
            r#"[{"name": "sidespan.x", "literal": "x"}]"#,
            "[0].name: sidespan.x is an attribute of the filter's own; choose another name",
        ),
        (
            r#"[{"name": "a", "requestHeader": "X-Tenant"}]"#,
            "[0].requestHeader: expected the name of a header in lower case; did you mean `x-tenant`?",
        ),
        (
            r#"[{"name": "a", "requestHeader": "Authorization"}]"#,
            "[0].requestHeader: the header Authorization carries secrets and is never recorded",
        ),
        (
            r#"[{"name": "a", "responseHeader": "set-cookie"}]"#,
            "[0].responseHeader: the header set-cookie carries secrets and is never recorded",
        ),
        (
            r#"[{"name": "a", "literal": 12345}]"#,
            "[0].literal: expected a string, found a number; quote it",
        ),
        (
            r#"[{"name": "a", "environment": ""}]"#,
            "[0].environment: expected the name of an environment variable, found \"\"",
        ),
        (
            r#"[{"name": "a", "property": 1}]"#,
            "[0].property: expected the dotted path of a property such as xds.cluster_name, found 1; quote it",
        ),
        (
            r#"[{"name": "a", "property": "request.headers.Cookie"}]"#,
            "[0].property: the header Cookie carries secrets and is never recorded",
        ),
        (
            r#"[{"name": "a", "property": "request.path"}]"#,
            "[0].property: request.path may carry secrets, and is recorded as url.path and url.query, those left out; \
             request.url_path is the path alone",
        ),
        (
            r#"[{"name": "sampling.priority", "literal": "1"}]"#,
            "[0].name: sampling.priority is an attribute of the filter's own; choose another name",
        ),
        (
            r#"[{"name": "a", "property": "response.trailers"}]"#,
            "[0].property: these are all headers; name one",
        ),
        (
            r#"[{"name": "a", "property": "xds..name"}]"#,
            "[0].property: expected the dotted path of a property such as xds.cluster_name, found \"xds..name\"",
        ),
        (
            r#"[{"name": "a", "literal": "x"}, {"name": "a", "literal": "y"}]"#,
            "[1].name: \"a\" is there already; a span has each attribute once",
        ),
        (
            r#"[{"name": "net.peer.name", "literal": "x"}]"#,
            "[0].name: net.peer.name is an attribute of the filter's own; choose another name",
        ),
        (
            r#"[{"name": "a", "baggage": ""}]"#,
            "[0].baggage: expected a key of the baggage, found \"\"",
        ),
        (
            r#"[{"name": "a", "header": "b", "literal": "c"}]"#,
            "[0].header: unknown key; known here: name, requestHeader, responseHeader, literal, environment, property, baggage, default",
        ),
    ] {
        let expected = format!("$.spans.attributes{expected}");
        refuses(&[("/spans/attributes", value, &expected)]);
    }
}

#[test]
fn reads_attributes_from_every_source() {
    let read = |source: &str| {
        let json = format!(r#"{{"spans": {{"attributes": [{{"name": "a", {source}}}]}}}}"#);
        let attributes = parse(&json).spans.attributes;
        assert_eq!(attributes.len(), 1);
        attributes[0].source.clone()
    };
    for (source, expected) in [
        (
            r#""requestHeader": "x-a""#,
            AttributeSource::RequestHeader("x-a".into()),
        ),
        (
            r#""responseHeader": "x-a""#,
            AttributeSource::ResponseHeader("x-a".into()),
        ),
        (r#""literal": """#, AttributeSource::Literal(String::new())),
        (
            r#""environment": "BUILD""#,
            AttributeSource::Environment("BUILD".into()),
        ),
        (
            r#""property": "xds.cluster_name""#,
            AttributeSource::Property("xds\0cluster_name".into()),
        ),
        (r#""baggage": "b""#, AttributeSource::Baggage("b".into())),
    ] {
        assert_eq!(read(source), expected);
    }
    let json = r#"{"spans": {"attributes": [
        {"name": "a", "environment": "B"}, {"name": "b", "environment": "A"}, {"name": "c", "environment": "B"}
    ]}}"#;
    assert!(parse(json).variables().into_iter().eq(["A", "B"]));
    let json = r#"{"export": {"otlp": {"cluster": "c", "headers": {"a": {"environment": "K"}, "b": "x"}}}}"#;
    assert!(parse(json).variables().into_iter().eq(["K"]));
}

#[test]
fn bg_21_reads_attributes_from_baggage() {
    let config = parse(
        r#"{"spans": {"attributes": [
            {"name": "user", "baggage": "user.id"}, {"name": "tenant", "baggage": "t", "default": ""}
        ]}}"#,
    );
    let attribute = |name: &str, key: &str, default: Option<&str>| CustomAttribute {
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
