//! The section `$.export`.

use super::{accepts, errors, parse, refuses};
use crate::export::settings::{Compression, HeaderValue, Otlp, Protocol};
use alloc::format;
use alloc::vec::Vec;
use core::time::Duration;

#[test]
fn an_address_becomes_a_cluster_an_authority_and_a_path() {
    const GRPC: &str = "/opentelemetry.proto.collector.trace.v1.TraceService/Export";
    for (otlp, cluster, authority, protocol, path) in [
        (
            r#""service": "c.d""#,
            "outbound|4317||c.d",
            "c.d:4317",
            Protocol::Grpc,
            GRPC,
        ),
        (
            r#""service": "c.d", "port": 55680"#,
            "outbound|55680||c.d",
            "c.d:55680",
            Protocol::Grpc,
            GRPC,
        ),
        (
            r#""service": "c", "protocol": "http/protobuf""#,
            "outbound|4318||c",
            "c:4318",
            Protocol::HttpProtobuf,
            "/v1/traces",
        ),
        (
            r#""protocol": "http/protobuf", "path": "/otlp/v1/traces?x=1", "port": 80, "service": "c""#,
            "outbound|80||c",
            "c:80",
            Protocol::HttpProtobuf,
            "/otlp/v1/traces?x=1",
        ),
        (
            r#""cluster": "vendor", "authority": "otlp.example.com""#,
            "vendor",
            "otlp.example.com",
            Protocol::Grpc,
            GRPC,
        ),
        (
            r#""service": "c.d", "authority": "[2001:db8::1]:443""#,
            "outbound|4317||c.d",
            "[2001:db8::1]:443",
            Protocol::Grpc,
            GRPC,
        ),
        (
            r#""cluster": "mimir""#,
            "mimir",
            "mimir",
            Protocol::Grpc,
            GRPC,
        ),
        (
            r#""cluster": "outbound|4317|v1|c.d""#,
            "outbound|4317|v1|c.d",
            "c.d:4317",
            Protocol::Grpc,
            GRPC,
        ),
        (
            r#""cluster": "outbound|x""#,
            "outbound|x",
            "outbound|x",
            Protocol::Grpc,
            GRPC,
        ),
    ] {
        let config = parse(&format!(r#"{{"export": {{"otlp": {{{otlp}}}}}}}"#));
        let expected = Otlp {
            cluster: cluster.into(),
            authority: authority.into(),
            protocol,
            path: path.into(),
            compression: Compression::None,
            timeout: Duration::from_secs(5),
            headers: Vec::new(),
        };
        assert_eq!(config.export.otlp, Some(expected), "{otlp}");
    }
}

#[test]
fn reads_durations_and_sizes() {
    for (written, milliseconds) in [
        ("1ms", 1),
        ("0250ms", 250),
        ("5s", 5_000),
        ("2m", 120_000),
        ("1h", 3_600_000),
        ("60m", 3_600_000),
    ] {
        let config = parse(&format!(
            r#"{{"export": {{"otlp": {{"cluster": "c", "timeout": "{written}"}}}}}}"#
        ));
        assert_eq!(
            config.export.otlp.unwrap().timeout,
            Duration::from_millis(milliseconds),
            "{written}"
        );
    }
    for (written, bytes) in [
        ("1024", 1024),
        ("2048.0", 2048),
        ("\"1024B\"", 1024),
        ("\"64KiB\"", 65_536),
        ("\"1MiB\"", 1_048_576),
        ("\"128MiB\"", 128 << 20),
    ] {
        let config = parse(&format!(
            r#"{{"export": {{"queue": {{"maxBytes": {written}}}}}}}"#
        ));
        assert_eq!(config.export.queue_max_bytes, bytes, "{written}");
    }
}

#[test]
fn reads_integers_as_a_struct_of_protobuf_writes_them() {
    let config = parse(
        r#"{"export": {"batch": {"maxSpans": 256.0}, "queue": {"maxSpans": 1e3}, "retry": {"attempts": 1}}}"#,
    );
    assert_eq!(config.export.batch_max_spans, 256);
    assert_eq!(config.export.queue_max_spans, 1000);
    assert_eq!(config.export.retry_attempts, 1);
}

#[test]
fn refuses_an_address_at_its_path() {
    const HOST: &str =
        "expected the name of a host such as otel-collector.observability.svc.cluster.local, found";
    const AUTHORITY: &str =
        "expected a host with or without a port such as otlp.example.com:443, found";
    const PATH: &str = "expected a path that begins with /, without spaces, found";
    let rows = [
        ("service", "\"\"", format!("service: {HOST} \"\"")),
        ("service", "\"http://c\"", format!("service: {HOST} \"http://c\"; leave the scheme out")),
        ("service", "\"c:4317\"", format!("service: {HOST} \"c:4317\"; the port goes into `port`")),
        ("service", "\"outbound|4317||c\"", format!("service: {HOST} \"outbound|4317||c\"; a name of Envoy's goes into `cluster`")),
        ("service", "\"a..b\"", format!("service: {HOST} \"a..b\"")),
        ("service", "\"a b\"", format!("service: {HOST} \"a b\"")),
        ("service", "7", format!("service: {HOST} 7; quote it")),
        ("cluster", "\"c\"", "cluster: not with service; set one of the two".into()),
        ("port", "0", "port: expected an integer from 1 to 65535, found 0".into()),
        ("port", "65536", "port: expected an integer from 1 to 65535, found 65536".into()),
        ("port", "4317.5", "port: expected an integer from 1 to 65535, found 4317.5".into()),
        ("port", "\"4317\"", "port: expected an integer from 1 to 65535, found \"4317\"; leave the quotes out".into()),
        ("protocol", "\"http/json\"", "protocol: expected grpc or http/protobuf, found \"http/json\"".into()),
        ("protocol", "\"http/protobuff\"", "protocol: expected grpc or http/protobuf, found \"http/protobuff\"; did you mean `http/protobuf`?".into()),
        ("protocol", "\"grpc\"", "path: not with protocol grpc, whose path is fixed; leave it out or set protocol to http/protobuf".into()),
        ("authority", "\"\"", format!("authority: {AUTHORITY} \"\"")),
        ("authority", "\"a b\"", format!("authority: {AUTHORITY} \"a b\"")),
        ("authority", "\"https://a.example\"", format!("authority: {AUTHORITY} \"https://a.example\"")),
        ("authority", "\"a.example:0\"", format!("authority: {AUTHORITY} \"a.example:0\"")),
        ("authority", "\"a.example:+1\"", format!("authority: {AUTHORITY} \"a.example:+1\"")),
        ("authority", "\"::1\"", format!("authority: {AUTHORITY} \"::1\"")),
        ("authority", "7", format!("authority: {AUTHORITY} 7; quote it")),
        ("path", "\"v1/traces\"", format!("path: {PATH} \"v1/traces\"")),
        ("path", "\"/v1 traces\"", format!("path: {PATH} \"/v1 traces\"")),
        ("path", "\"/v1#traces\"", format!("path: {PATH} \"/v1#traces\"")),
        ("compression", "\"zstd\"", "compression: expected none or gzip, found \"zstd\"".into()),
        ("timeout", "\"0ms\"", "timeout: expected a duration from 1ms to 1h such as \"5s\", found \"0ms\"".into()),
        ("timeout", "\"61m\"", "timeout: expected a duration from 1ms to 1h such as \"5s\", found \"61m\"".into()),
        ("timeout", "\"1.5s\"", "timeout: expected a duration from 1ms to 1h such as \"5s\", found \"1.5s\"; write a whole number and ms, s, m or h".into()),
        ("timeout", "\"5 s\"", "timeout: expected a duration from 1ms to 1h such as \"5s\", found \"5 s\"; write a whole number and ms, s, m or h".into()),
        ("timeout", "\"s\"", "timeout: expected a duration from 1ms to 1h such as \"5s\", found \"s\"; write a whole number and ms, s, m or h".into()),
        ("timeout", "\"99999999999999999999s\"", "timeout: expected a duration from 1ms to 1h such as \"5s\", found \"99999999999999999999s\"; write a whole number and ms, s, m or h".into()),
        ("timeout", "\"18446744073709551615h\"", "timeout: expected a duration from 1ms to 1h such as \"5s\", found \"18446744073709551615h\"; write a whole number and ms, s, m or h".into()),
        ("timeout", "5", "timeout: expected a duration from 1ms to 1h such as \"5s\", found 5; quote it, with its unit ms, s, m or h".into()),
        ("endpoint", "\"c:4317\"", "endpoint: unknown key; known here: service, cluster, port, authority, protocol, path, compression, timeout, headers".into()),
    ];
    for (key, value, expected) in rows {
        refuses(&[(
            &format!("/export/otlp/{key}"),
            value,
            &format!("$.export.otlp.{expected}"),
        )]);
    }
    for (otlp, expected) in [
        ("{}", ": expected service or cluster, found neither"),
        (
            r#"{"cluster": ""}"#,
            ".cluster: expected the name of a cluster, found \"\"",
        ),
        (
            r#"{"cluster": "my collector"}"#,
            ".cluster: expected the name of a cluster without spaces and control characters, found \"my collector\"",
        ),
        (
            r#"{"cluster": "collector\r\nx: y"}"#,
            r#".cluster: expected the name of a cluster without spaces and control characters, found "collector\r\nx: y""#,
        ),
        (
            r#"{"cluster": "collector\u007f"}"#,
            r#".cluster: expected the name of a cluster without spaces and control characters, found "collector\u{7f}""#,
        ),
        (
            r#"{"cluster": "c", "port": 4317}"#,
            ".port: not with cluster, whose hosts have their ports; leave it out or set service",
        ),
        (
            r#"{"cluster": "c", "path": "/v1/traces"}"#,
            ".path: not with protocol grpc, whose path is fixed; leave it out or set protocol to http/protobuf",
        ),
        ("\"c\"", ": expected an object, found a string"),
        (
            "null",
            ": expected an object, found null; leave the key out for its default",
        ),
    ] {
        assert_eq!(
            errors(&format!(r#"{{"export": {{"otlp": {otlp}}}}}"#)),
            format!("$.export.otlp{expected}"),
            "{otlp}"
        );
    }
}

#[test]
fn refuses_portions_at_their_path() {
    const DELAY: &str = "expected a duration from 10ms to 1m such as \"5s\", found";
    const ANY: &str = "expected a duration from 1ms to 1h such as \"5s\", found";
    const BYTES: &str = "expected a size from 1024 to 134217728 bytes such as \"8MiB\", found";
    let rows = [
        (
            "batch/maxSpans",
            "0",
            "batch.maxSpans: expected an integer from 1 to 8192, found 0".into(),
        ),
        (
            "batch/maxSpans",
            "8193",
            "batch.maxSpans: expected an integer from 1 to 8192, found 8193".into(),
        ),
        (
            "batch/maxSpans",
            "1.5",
            "batch.maxSpans: expected an integer from 1 to 8192, found 1.5".into(),
        ),
        (
            "batch/maxSpans",
            "-1",
            "batch.maxSpans: expected an integer from 1 to 8192, found -1".into(),
        ),
        (
            "batch/maxDelay",
            "\"9ms\"",
            format!("batch.maxDelay: {DELAY} \"9ms\""),
        ),
        (
            "batch/maxDelay",
            "\"61s\"",
            format!("batch.maxDelay: {DELAY} \"61s\""),
        ),
        (
            "batch/delay",
            "1",
            "batch.delay: unknown key; known here: maxSpans, maxDelay".into(),
        ),
        (
            "queue/maxSpans",
            "511",
            "queue.maxSpans: expected at least batch.maxSpans (512), found 511".into(),
        ),
        (
            "queue/maxSpans",
            "131073",
            "queue.maxSpans: expected an integer from 1 to 131072, found 131073".into(),
        ),
        ("queue/maxBytes", "0", format!("queue.maxBytes: {BYTES} 0")),
        (
            "queue/maxBytes",
            "1024.5",
            format!("queue.maxBytes: {BYTES} 1024.5"),
        ),
        (
            "queue/maxBytes",
            "\"2GiB\"",
            format!("queue.maxBytes: {BYTES} \"2GiB\"; write a whole number and B, KiB or MiB"),
        ),
        (
            "queue/maxBytes",
            "\"8MB\"",
            format!("queue.maxBytes: {BYTES} \"8MB\"; write a whole number and B, KiB or MiB"),
        ),
        (
            "queue/maxBytes",
            "\"1025MiB\"",
            format!("queue.maxBytes: {BYTES} \"1025MiB\""),
        ),
        (
            "queue/maxBytes",
            "\"8388608\"",
            format!("queue.maxBytes: {BYTES} \"8388608\"; write a whole number and B, KiB or MiB"),
        ),
        (
            "queue/maxBytes",
            "true",
            format!("queue.maxBytes: {BYTES} true"),
        ),
        (
            "retry/initial",
            "\"0s\"",
            format!("retry.initial: {ANY} \"0s\""),
        ),
        (
            "retry/max",
            "\"999ms\"",
            "retry.max: expected at least initial (1s), found \"999ms\"".into(),
        ),
        (
            "retry/attempts",
            "0",
            "retry.attempts: expected an integer from 1 to 100, found 0".into(),
        ),
        (
            "retry/attempts",
            "101",
            "retry.attempts: expected an integer from 1 to 100, found 101".into(),
        ),
    ];
    for (pointer, value, expected) in rows {
        refuses(&[(
            &format!("/export/{pointer}"),
            value,
            &format!("$.export.{expected}"),
        )]);
    }
    assert_eq!(
        errors(r#"{"export": {"retry": {"initial": "1m"}}}"#),
        "$.export.retry.initial: expected at most max (30s), found \"1m\"; set max as well"
    );
    accepts(&[
        ("/export/retry/max", "\"1s\""),
        ("/export/queue/maxSpans", "512"),
        ("/export/batch/maxSpans", "8192"),
    ]);
}

#[test]
fn headers_are_checked_and_their_values_never_told() {
    for (headers, expected) in [
        (
            r#"{"X-Key": "s3cret"}"#,
            r#"["X-Key"]: expected the name of a header in lower case; did you mean `x-key`?"#,
        ),
        (
            r#"{":path": "s3cret"}"#,
            r#"[":path"]: expected the name of a header, in lower case"#,
        ),
        (
            r#"{"authorization:Bearer-s3cret": ""}"#,
            r#"["authorization:…"]: expected the name of a header, in lower case; a colon ends it, and a blank stands behind the colon"#,
        ),
        (
            r#"{"x-api-key=s3cret": ""}"#,
            r#"["x-api-key=…"]: expected the name of a header, in lower case"#,
        ),
        (
            r#"{"te": "s3cret"}"#,
            ".te: the header te is the exporter's own; leave it out",
        ),
        (
            r#"{"b3": "s3cret"}"#,
            ".b3: the header b3 is the exporter's own; leave it out",
        ),
        (
            r#"{"content-type": "s3cret"}"#,
            r#"["content-type"]: the header content-type is the exporter's own; leave it out"#,
        ),
        (
            r#"{"grpc-encoding": "s3cret"}"#,
            r#"["grpc-encoding"]: the header grpc-encoding is the exporter's own; leave it out"#,
        ),
        (
            r#"{"x-key": "s3cret\r\nx-other: 1"}"#,
            r#"["x-key"]: expected a value without line ends and control characters"#,
        ),
        (
            r#"{"x-key": 53123}"#,
            r#"["x-key"]: expected a string or {environment: NAME}, found a number; quote it"#,
        ),
        (
            r#"{"x-key": ["s3cret"]}"#,
            r#"["x-key"]: expected a string or {environment: NAME}, found a list"#,
        ),
        (
            r#"{"x-key": {"environment": ""}}"#,
            r#"["x-key"].environment: expected the name of an environment variable, found """#,
        ),
        (
            r#"{"x-key": {"enviroment": "s3cret"}}"#,
            "[\"x-key\"]: expected the key environment, found none\n$.export.otlp.headers[\"x-key\"].enviroment: unknown key; did you mean `environment`?",
        ),
    ] {
        let found = errors(&super::changed("/export/otlp/headers", headers));
        assert_eq!(
            found,
            format!("$.export.otlp.headers{expected}"),
            "{headers}"
        );
        assert!(!found.contains("s3cret") && !found.contains("53123"));
    }
}

#[test]
fn op_6_headers_come_from_the_configuration_or_the_environment() {
    let config = parse(
        r#"{"export": {"otlp": {"cluster": "c", "headers": {
            "x-api-key": {"environment": "OTLP_KEY"},
            "x-tenant": " s3cret\t1 "
        }}}}"#,
    );
    let headers = config.export.otlp.unwrap().headers;
    assert_eq!(
        headers,
        [
            (
                "x-api-key".into(),
                HeaderValue::Environment("OTLP_KEY".into())
            ),
            ("x-tenant".into(), HeaderValue::Literal("s3cret\t1".into())),
        ]
    );
    assert!(
        !format!("{headers:?}").contains("s3cret"),
        "it may be logged"
    );
}

#[test]
fn op_2_bodies_are_plain_unless_gzip_is_asked_for() {
    for (written, expected) in [
        ("", Compression::None),
        (r#", "compression": "none""#, Compression::None),
        (r#", "compression": "gzip""#, Compression::Gzip),
    ] {
        let config = parse(&format!(
            r#"{{"export": {{"otlp": {{"cluster": "c"{written}}}}}}}"#
        ));
        assert_eq!(
            config.export.otlp.unwrap().compression,
            expected,
            "{written}"
        );
    }
}
