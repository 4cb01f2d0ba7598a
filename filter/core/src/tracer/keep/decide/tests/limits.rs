//! The limit of an edge, which is not that of the sidecars with the same configuration.

use super::*;

#[test]
fn an_edge_keeps_within_its_own_limit() {
    let configuration = r#"{
        "sampling": {"percentage": 0, "keep": {"spansPerSecond": 1000}},
        "gateway": {"keep": {"spansPerSecond": 2}},
        "export": {"otlp": {"cluster": "c"}}
    }"#;
    for (direction, is_limited) in [
        (Direction::Inbound, false),
        (Direction::Outbound, false),
        (Direction::Edge, true),
    ] {
        let mut pod = Pod::with(configuration);
        for number in 0..400_u64 {
            // A hundred a second.
            let now = Nanos(1_000 * SECOND + number * SECOND / 100);
            pod.filter.proxy.now.set(now);
            let low = number.wrapping_mul(0x9e37_79b9_7f4a_7c15);
            let traceparent = format!("00-4bf92f3577b34da6{low:016x}-{S}-00");
            let headers = [("traceparent", traceparent.as_str())];
            pod.exchange(direction, &headers, &Record::answered(503), 0);
        }
        let lost = pod.counted(Counter::SpansDroppedRate);
        assert_eq!(lost > 200, is_limited, "{direction:?}: {lost}");
        assert_eq!(lost == 0, !is_limited, "{direction:?}: {lost}");
    }
}
