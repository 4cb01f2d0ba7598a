//! The rules of the configuration, each as a row of a table.
//!
//! A row that must fail is the whole valid configuration below with one change, and names every error that the change
//! causes.

use super::{Config, Role};
use crate::direction::Direction;
use crate::export::settings::Export;
use crate::propagation::format::Format;
use crate::propagation::settings::{Baggage, ContextTrust, Propagation, Trust};
use crate::sampling::request_match::Match;
use crate::sampling::settings::{Keep, Sampling};
use crate::semconv::settings::{Conventions, Spans};
use alloc::format;
use alloc::string::{String, ToString};
use alloc::vec::Vec;
use serde_json::{Value, json};

mod document;
mod export;
mod propagation;
mod sampling;
mod spans;

/// A valid configuration with every key that there is.
const WHOLE: &str = r#"{
  "propagation": {
    "extract": ["tracecontext", "b3", "b3multi"],
    "inject": ["tracecontext", "b3multi"],
    "mirror": true,
    "baggage": {"deny": [], "from": []},
    "keep64bit": false,
    "restoreTracestate": true
  },
  "sampling": {
    "percentage": 1.0,
    "namespaces": {"payments": 50, "team-*": 10, "kube-system": 0},
    "rules": [],
    "exclude": [
      {"userAgent": "kube-probe/*"},
      {"path": "/health"},
      {"path": "/orders/{id}", "method": ["GET", "PUT"], "direction": "inbound", "namespace": "pay*",
       "headers": {"x-canary": "*"}, "labels": {"app": "cart"}}
    ],
    "rateLimit": {},
    "keep": {"errors": true, "slowerThan": "2s", "spansPerSecond": 50, "tell": true},
    "consistent": true
  },
  "trust": {"context": "accept", "decision": "accept", "debug": true, "jaegerDebug": false},
  "correlation": {"requestId": false},
  "direction": "auto",
  "gateway": {
    "trust": {"context": "accept"},
    "exclude": [{"path": "/metrics"}],
    "keep": {"errors": true, "spansPerSecond": 50, "tell": true}
  },
  "spans": {
    "serviceName": "cart",
    "routes": [],
    "attributes": [],
    "resource": {},
    "omit": [],
    "conventions": "stable",
    "redactQuery": [],
    "accessLog": false
  },
  "export": {
    "otlp": {
      "service": "otel-collector.observability.svc.cluster.local",
      "port": 4318,
      "protocol": "http/protobuf",
      "path": "/v1/traces",
      "compression": "none",
      "timeout": "5s",
      "headers": {}
    },
    "batch": {"maxSpans": 512, "maxDelay": "1s"},
    "queue": {"maxSpans": 8192, "maxBytes": "8MiB"},
    "retry": {"initial": "1s", "max": "30s", "attempts": 5}
  },
  "role": "request"
}"#;

fn parse(json: &str) -> Config {
    Config::parse(json.as_bytes()).unwrap_or_else(|errors| panic!("{json}: {errors:?}"))
}

/// The errors of a configuration, one a line.
fn errors(json: &str) -> String {
    match Config::parse(json.as_bytes()) {
        Ok(_) => "fine".into(),
        Err(errors) => errors
            .iter()
            .map(ToString::to_string)
            .collect::<Vec<_>>()
            .join("\n"),
    }
}

/// The valid configuration with one value replaced, or one key added.
fn changed(pointer: &str, value: &str) -> String {
    let mut whole: Value = serde_json::from_str(WHOLE).unwrap();
    let (parent, key) = pointer.rsplit_once('/').unwrap();
    let value = serde_json::from_str(value).unwrap_or_else(|_| panic!("{value} is no JSON"));
    match whole
        .pointer_mut(parent)
        .unwrap_or_else(|| panic!("{parent} is not there"))
    {
        Value::Object(object) => drop(object.insert(key.replace("~1", "/"), value)),
        Value::Array(list) if key == "-" => list.push(value),
        Value::Array(list) => list[key.parse::<usize>().unwrap()] = value,
        _ => panic!("{parent} holds nothing"),
    }
    whole.to_string()
}

/// Rows: where the change is, what is put there, which errors that gives.
fn refuses(rows: &[(&str, &str, &str)]) {
    for (pointer, value, expected) in rows {
        assert_eq!(
            errors(&changed(pointer, value)),
            *expected,
            "{pointer} = {value}"
        );
    }
}

/// Rows: where the change is, what is put there.
fn accepts(rows: &[(&str, &str)]) {
    for (pointer, value) in rows {
        assert_eq!(
            errors(&changed(pointer, value)),
            "fine",
            "{pointer} = {value}"
        );
    }
}

#[test]
fn the_whole_configuration_is_valid() {
    assert_eq!(errors(WHOLE), "fine");
}

#[test]
fn the_defaults_are_those_of_the_contract() {
    use crate::propagation::format::Format::{B3Multi, TraceContext};
    use core::time::Duration;
    let expected = Config {
        propagation: Propagation {
            extract: Format::ALL.into(),
            inject: [TraceContext, B3Multi].into(),
            mirror: true,
            keep64bit: false,
            restore_tracestate: true,
            baggage: Baggage {
                deny: Vec::new(),
                max_bytes: None,
                from: Vec::new(),
            },
        },
        sampling: None,
        trust: Trust {
            context: ContextTrust::Accept,
            decision: true,
            debug: true,
            jaeger_debug: false,
        },
        gateway_trust: None,
        gateway_exclude: None,
        gateway_keep: None,
        correlates_request_ids: false,
        direction: None,
        spans: Spans {
            service_name: None,
            routes: Vec::new(),
            attributes: Vec::new(),
            resource: Vec::new(),
            omit: Vec::new(),
            conventions: Conventions::Stable,
            redact_query: Vec::new(),
            access_log: false,
        },
        export: Export {
            otlp: None,
            batch_max_spans: 512,
            batch_max_delay: Duration::from_secs(1),
            queue_max_spans: 8192,
            queue_max_bytes: 8 * 1024 * 1024,
            retry_initial: Duration::from_secs(1),
            retry_max: Duration::from_secs(30),
            retry_attempts: 5,
        },
        role: Role::Request,
    };
    for empty in ["", " \n\t", "{}", " { } "] {
        assert_eq!(parse(empty), expected, "{empty:?}");
    }
    assert_eq!(
        Sampling::default(),
        Sampling {
            percentage: 1.0,
            namespaces: Vec::new(),
            rules: Vec::new(),
            exclude: Match::default_excludes(),
            traces_per_second: None,
            keep: Keep {
                errors: true,
                slower_than: None,
                spans_per_second: 50.0,
                tell: true,
            },
            consistent: true,
            remote: None,
        }
    );
}

#[test]
fn defaults_written_out_change_nothing_but_that_sampling_is_set() {
    let spelled = json!({
        "propagation": {
            "extract": ["tracecontext", "b3", "b3multi", "jaeger", "xray", "datadog", "grpc-trace-bin", "ottrace", "gcp"],
            "inject": ["tracecontext", "b3multi"],
            "mirror": true,
            "baggage": {"deny": [], "from": []},
            "keep64bit": false,
            "restoreTracestate": true
        },
        "trust": {"context": "accept", "decision": "accept", "debug": true, "jaegerDebug": false},
        "correlation": {"requestId": false},
        "direction": "auto",
        "gateway": {},
        "spans": {
            "serviceName": "", "routes": [], "attributes": [], "resource": {}, "omit": [],
            "conventions": "stable", "redactQuery": [], "accessLog": false
        },
        "export": {
            "batch": {"maxSpans": 512, "maxDelay": "1s"},
            "queue": {"maxSpans": 8192, "maxBytes": "8MiB"},
            "retry": {"initial": "1s", "max": "30s", "attempts": 5}
        },
        "role": "request"
    });
    assert_eq!(parse(&spelled.to_string()), Config::default());
    let sampling = json!({
        "percentage": 1.0, "namespaces": {}, "rules": [], "rateLimit": {}, "consistent": true,
        "exclude": [
            {"userAgent": "kube-probe/*"}, {"userAgent": "Prometheus/*"}, {"userAgent": "ELB-HealthChecker/*"},
            {"userAgent": "Amazon-Route53-Health-Check-Service*"}, {"userAgent": "GoogleHC/*"},
            {"userAgent": "Edge Health Probe"}, {"userAgent": "Load Balancer Agent"}, {"userAgent": "Envoy/HC"},
            {"userAgent": "OTel-OTLP-Exporter-*"}, {"path": "/health"}, {"path": "/healthz"}, {"path": "/readyz"},
            {"path": "/livez"}, {"path": "/metrics"}, {"path": "/grpc.health.v1.Health/*"},
            {"path": "/opentelemetry.proto.collector*"}, {"path": "/jaeger.api_v2.CollectorService/*"},
            {"path": "/telemetry/proxy/*"}, {"path": "/profiling/v1/input"},
            {"method": "POST", "path": "/v1/traces"},
            {"method": "POST", "path": "/v1/metrics", "headers": {"content-type": "application/x-protobuf*"}},
            {"method": "POST", "path": "/v1/logs", "headers": {"content-type": "application/x-protobuf*"}},
            {"method": "POST", "path": "/api/v2/spans"},
            {"method": "POST", "path": "/api/traces", "headers": {"content-type": "application/*thrift*"}},
            {"method": ["PUT", "POST"], "path": "/v0*/traces"}, {"method": ["PUT", "POST"], "path": "/v0.6/stats"}
        ],
        "keep": {"errors": true, "spansPerSecond": 50, "tell": true}
    });
    let expected = Config {
        sampling: Some(Sampling::default()),
        ..Config::default()
    };
    assert_eq!(parse(&json!({"sampling": sampling}).to_string()), expected);
}

#[test]
fn roots_are_decided_here_as_soon_as_sampling_or_a_collector_is_set() {
    for (json, expected) in [
        ("{}", false),
        (r#"{"export": {}}"#, false),
        (r#"{"export": {"batch": {"maxSpans": 1}}}"#, false),
        (r#"{"spans": {"serviceName": "cart"}}"#, false),
        (r#"{"sampling": {}}"#, true),
        (r#"{"sampling": {"percentage": 0}}"#, true),
        (r#"{"export": {"otlp": {"cluster": "collector"}}}"#, true),
    ] {
        assert_eq!(parse(json).sampling.is_some(), expected, "{json}");
    }
}

#[test]
fn refuses_at_the_top() {
    refuses(&[
        (
            "/direction",
            "\"inbuond\"",
            r#"$.direction: expected auto, inbound, outbound or edge, found "inbuond"; did you mean `inbound`?"#,
        ),
        (
            "/direction",
            "\"sideways\"",
            r#"$.direction: expected auto, inbound, outbound or edge, found "sideways""#,
        ),
        (
            "/direction",
            "true",
            "$.direction: expected auto, inbound, outbound or edge, found true; quote it",
        ),
        (
            "/direction",
            "null",
            "$.direction: expected auto, inbound, outbound or edge, found null; leave the key out for its default",
        ),
        (
            "/trust/context",
            "\"reject\"",
            r#"$.trust.context: expected accept, restart or ignore, found "reject""#,
        ),
        (
            "/trust/decision",
            "\"restart\"",
            r#"$.trust.decision: expected accept or ignore, found "restart""#,
        ),
        (
            "/trust/debug",
            "\"true\"",
            r#"$.trust.debug: expected true or false, found "true"; leave the quotes out"#,
        ),
        (
            "/trust/jaegerDebug",
            "0",
            "$.trust.jaegerDebug: expected true or false, found 0",
        ),
        ("/trust", "[]", "$.trust: expected an object, found a list"),
        (
            "/correlation",
            "true",
            "$.correlation: expected an object, found true",
        ),
        (
            "/correlation/requestid",
            "true",
            "$.correlation.requestid: unknown key; did you mean `requestId`?",
        ),
        (
            "/gateway/exclude",
            "{}",
            "$.gateway.exclude: expected a list of matches, found an object",
        ),
        (
            "/gateway/exclude/0",
            "{}",
            "$.gateway.exclude[0]: expected at least one of path, method, direction, headers, userAgent, namespace, labels, found none",
        ),
        (
            "/gateway/sampling",
            "{}",
            "$.gateway.sampling: unknown key; known here: trust, exclude, keep",
        ),
        (
            "/gateway/keep/slowerThan",
            "2",
            "$.gateway.keep.slowerThan: expected a duration from 1ms to 1h such as \"5s\", found 2; quote it, with its unit ms, s, m or h",
        ),
        (
            "/role",
            "\"filter\"",
            r#"$.role: expected request or attempt, found "filter""#,
        ),
        (
            "/export/otpl",
            "{}",
            "$.export.otpl: unknown key; did you mean `otlp`?",
        ),
        (
            "/telemetry",
            "{}",
            "$.telemetry: unknown key; known here: propagation, sampling, trust, correlation, direction, gateway, spans, export, role",
        ),
    ]);
}

#[test]
fn accepts_every_direction() {
    for (word, direction) in [
        ("auto", None),
        ("inbound", Some(Direction::Inbound)),
        ("outbound", Some(Direction::Outbound)),
        ("edge", Some(Direction::Edge)),
    ] {
        assert_eq!(
            parse(&json!({"direction": word}).to_string()).direction,
            direction
        );
    }
}

#[test]
fn correlates_by_the_id_of_a_request_where_told_to() {
    for (json, expected) in [
        ("{}", false),
        (r#"{"correlation": {}}"#, false),
        (r#"{"correlation": {"requestId": false}}"#, false),
        (r#"{"correlation": {"requestId": true}}"#, true),
    ] {
        assert_eq!(parse(json).correlates_request_ids, expected, "{json}");
    }
}

#[test]
fn reads_keep_and_its_form_for_gateways() {
    let config = parse(
        r#"{
            "sampling": {"keep": {"slowerThan": "2s", "spansPerSecond": 0}},
            "gateway": {"keep": {"errors": false, "tell": false}}
        }"#,
    );
    let keep = Keep {
        slower_than: Some(core::time::Duration::from_secs(2)),
        spans_per_second: 0.0,
        ..Keep::default()
    };
    assert_eq!(config.sampling.map(|sampling| sampling.keep), Some(keep));
    let gateway = Keep {
        errors: false,
        tell: false,
        ..Keep::default()
    };
    assert_eq!(config.gateway_keep, Some(gateway));
}

#[test]
fn reads_trust_and_its_form_for_gateways() {
    let config = parse(
        r#"{
            "trust": {"context": "ignore", "decision": "ignore", "debug": false, "jaegerDebug": true},
            "gateway": {"trust": {"context": "restart"}}
        }"#,
    );
    assert_eq!(
        config.trust,
        Trust {
            context: ContextTrust::Ignore,
            decision: false,
            debug: false,
            jaeger_debug: true
        }
    );
    assert_eq!(
        config.gateway_trust,
        Some(Trust {
            context: ContextTrust::Restart,
            ..Trust::default()
        })
    );
}

#[test]
fn role_attempt_takes_three_sections() {
    let config = parse(r#"{"role": "attempt", "propagation": {}, "spans": {}, "export": {}}"#);
    assert_eq!(config.role, Role::Attempt);
    let exporting = r#"{"role": "attempt", "export": {"otlp": {"cluster": "c"}}}"#;
    assert_eq!(parse(exporting).sampling, None, "a try decides nothing");
    assert_eq!(
        errors(r#"{"role": "attempt", "spans": {"accessLog": true}}"#),
        "$.spans.accessLog: not with role attempt: an access log has one line a request, not one a try"
    );
    assert_eq!(
        errors(
            r#"{"role": "attempt", "propagation": {"baggage": {"deny": ["*"]}, "restoreTracestate": true}}"#
        ),
        "$.propagation.baggage: not with role attempt: baggage is rewritten once a request; set it where the filter has role request\n\
         $.propagation.restoreTracestate: not with role attempt: a lost tracestate is put back once a request, not once a try"
    );
    parse(r#"{"role": "attempt", "propagation": {"restoreTracestate": false}}"#);
    for section in ["sampling", "trust", "correlation", "gateway"] {
        assert_eq!(
            errors(&format!(r#"{{"role": "attempt", "{section}": {{}}}}"#)),
            format!(
                "$.{section}: not with role attempt, which takes propagation, spans and export"
            )
        );
    }
}

#[test]
fn a_digest_tells_configurations_apart() {
    assert_eq!(Config::digest(b""), "e3b0c442");
    assert_eq!(Config::digest(b"{}"), "44136fa3");
}
