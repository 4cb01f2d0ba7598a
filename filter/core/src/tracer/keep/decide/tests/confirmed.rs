//! What a proxy confirms decides nothing: without CEL the same spans are kept, and the same words said.

use super::*;

#[test]
fn a_proxy_that_confirms_nothing_keeps_the_same_spans() {
    let directions = [Direction::Inbound, Direction::Outbound, Direction::Edge];
    let keeps = [
        "{}",
        r#"{"slowerThan": "1s"}"#,
        r#"{"errors": false, "slowerThan": "1s"}"#,
        r#"{"tell": false}"#,
    ];
    let content_types = ["text/html", "application/grpc"];
    let mut kept = 0;
    for (direction, keep) in directions
        .into_iter()
        .flat_map(|direction| keeps.map(|keep| (direction, keep)))
    {
        for content_type in content_types {
            for record in records() {
                for seconds in [0, 2] {
                    let [with, without] = [false, true].map(|confirms_nothing| {
                        let mut pod = Pod::of(keep);
                        pod.filter.proxy.confirms_nothing.set(confirms_nothing);
                        let context = format!("00-{T}-{S}-00");
                        let headers = [("traceparent", &*context), ("content-type", content_type)];
                        let done = pod.exchange(direction, &headers, &record, seconds);
                        let described: Vec<String> = done.spans.iter().map(text).collect();
                        (described, done.spans, done.words, pod.notes())
                    });
                    kept += with.1.len();
                    assert_eq!(
                        with, without,
                        "{direction:?} {keep} {content_type} {record:?}"
                    );
                }
            }
        }
    }
    assert!(kept > 100, "{kept}");
}

/// Returns responses that went well or not, each with an end that went well or not.
fn records() -> Vec<Record> {
    let mut records = Vec::new();
    for status in [200, 404, 499, 500, 503] {
        for is_upstreams in [true, false] {
            for (flags, code) in [
                (0, None),
                (0, Some(503)),
                (0, Some(200)),
                (4, None),
                (0x40, Some(0)),
            ] {
                let mut record = Record::answered(status).number("response.flags", flags);
                if is_upstreams {
                    record = record.header("x-envoy-upstream-service-time", "1");
                }
                if let Some(code) = code {
                    record = record.number("response.code", code);
                }
                records.push(record.clone().header("server-timing", "db;dur=1"));
                records.push(record);
            }
        }
    }
    records
}
