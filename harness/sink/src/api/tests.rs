//! The texts of the API, each way and back.

mod attributes;

use std::time::{Duration, UNIX_EPOCH};

use super::*;
use crate::store::{Query, Root, SpanKind, StatusCode, TraceSummary};

fn query() -> Query {
    Query {
        service: Some("cart & co = ü+%".into()),
        name: Some("GET /\u{1b}".into()),
        kind: Some(SpanKind::Consumer),
        status: Some(StatusCode::Error),
        min_duration: Some(Duration::from_nanos(1_500_000_001)),
        max_duration: Some(Duration::from_secs(3_600)),
        attributes: vec![("a".into(), "b=c".into()), ("ä".into(), String::new())],
        from_unix_nanos: Some(1_700_000_000_123_456_789),
        to_unix_nanos: Some(u64::MAX),
        limit: 7,
    }
}

#[test]
fn conditions_survive_the_way_through_a_url() {
    for sent in [query(), Query::default()] {
        let text = write_query(&sent);
        assert!(text.is_ascii(), "{text}");
        let (read, limit) = read_query(&text, UNIX_EPOCH).unwrap();
        assert_eq!(read, sent, "{text}");
        assert_eq!(limit, Some(sent.limit));
    }
    let (read, limit) = read_query("", UNIX_EPOCH).unwrap();
    assert_eq!((read, limit), (Query::default(), None));
}

#[test]
fn a_bad_parameter_is_named_with_its_value_and_what_is_accepted() {
    for (text, expected) in [
        (
            "servce=a",
            "unknown parameter \"servce\": accepted are service, name",
        ),
        (
            "service=a&service=b",
            "parameter service is given twice, the second time as \"b\"",
        ),
        (
            "status=bad",
            "parameter status: expected unset, ok or error, found \"bad\"",
        ),
        (
            "kind=x",
            "parameter kind: expected internal, server, client",
        ),
        (
            "minDuration=5",
            "parameter minDuration: expected a duration such as 100ms, 1.5s or 15m, found \"5\"",
        ),
        ("maxDuration=-1s", "found \"-1s\""),
        (
            "attribute=a",
            "parameter attribute: expected key=value, found \"a\"",
        ),
        ("attribute==a", "expected key=value"),
        (
            "from=yesterday",
            "parameter from: expected a time such as 2026-11-30T12:00:00Z, or 15m",
        ),
        ("to=1900-01-01T00:00:00Z", "parameter to: expected a time"),
        (
            "limit=0",
            "parameter limit: expected a whole number above 0, found \"0\"",
        ),
        ("limit=many", "parameter limit"),
    ] {
        let error = read_query(text, UNIX_EPOCH).unwrap_err().to_string();
        assert!(error.contains(expected), "{text}: {error}");
    }
}

#[test]
fn reads_durations_and_times_as_people_write_them() {
    for (text, millis) in [
        ("100ms", 100),
        ("1.5s", 1_500),
        ("15m", 900_000),
        ("1h", 3_600_000),
    ] {
        assert_eq!(
            duration_of(text),
            Ok(Duration::from_millis(millis)),
            "{text}"
        );
    }
    let now = UNIX_EPOCH + Duration::from_secs(1_000);
    for (text, seconds) in [
        ("15m", 100),
        ("2h", 0),
        ("1970-01-01T00:00:07Z", 7),
        ("1970-01-01T01:00:07+01:00", 7),
    ] {
        assert_eq!(time_of(text, now), Ok(seconds * 1_000_000_000), "{text}");
    }
    assert_eq!(write_time(1_500_000_000), "1970-01-01T00:00:01.5Z");
    assert!(status_of("ERROR").is_ok() && kind_of("Server").is_ok());
}

#[test]
fn summaries_survive_the_way_through_json() {
    let full = TraceSummary {
        trace_id: "ab".repeat(16),
        start_unix_nanos: u64::MAX - 1,
        end_unix_nanos: u64::MAX,
        spans: 3,
        errors: 1,
        root: Some(Root {
            service: "a\u{1b}".into(),
            name: "\"".into(),
            kind: SpanKind::Producer,
            duration_nanos: u64::MAX,
        }),
        services: vec!["a".into(), "b".into()],
        arrived_unix_nanos: 5,
    };
    let small = TraceSummary {
        root: None,
        ..full.clone()
    };
    let traces = vec![full.clone(), small];
    let text = write_summaries(&traces);
    assert_eq!(read_summaries(text.as_bytes()).unwrap(), traces);
    let text = write_summary(&full);
    assert!(text.contains("\"durationNano\":\"1\""), "{text}");
    assert_eq!(read_summary(text.as_bytes()).unwrap(), full);
    assert!(read_summaries(b"[]").is_err());
}
