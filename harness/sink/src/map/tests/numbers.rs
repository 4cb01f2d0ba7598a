//! Percentiles, weights and ranges of time.

use super::*;

/// Returns traces of one SERVER span each, with these durations.
fn requests(durations: impl IntoIterator<Item = u64>) -> Vec<Vec<Sent>> {
    let one = |nanos| vec![span(1, 0, Server, "a").takes(1_000, nanos)];
    durations.into_iter().map(one).collect()
}

#[test]
fn percentiles_are_durations_of_the_nearest_rank() {
    for (durations, p50, p99) in [
        (vec![7], "7", "7"),
        (vec![9, 1], "1", "9"),
        (vec![3, 1, 2], "2", "3"),
        ((1..=100).collect(), "50", "99"),
        ((1..=101).rev().collect(), "51", "100"),
        ((1..=1_000).collect(), "500", "990"),
    ] {
        let map = map(requests(durations.iter().copied()));
        let node = &map["nodes"][0];
        assert_eq!((word(&node["p50Nano"]), word(&node["p99Nano"])), (p50, p99));
        assert_eq!(node["requests"], durations.len());
    }
}

#[test]
fn sampled_requests_stand_for_others_and_kept_ones_for_none() {
    let of = |trace_state: &str| {
        let mut server = span(2, 1, Server, "b");
        server.outline.trace_state = trace_state.to_owned();
        let mut client = span(1, 0, Client, "a");
        client.outline.trace_state = trace_state.to_owned();
        vec![client, server]
    };
    let mut kept = of("");
    kept.iter_mut().for_each(|sent| {
        *sent = sent.clone().with("sidespan.kept", "error").fails();
    });
    let map = map([of("ot=th:8"), of("ot=th:c"), of(""), kept]);
    let edge = &map["edges"][0];
    assert_eq!((&edge["requests"], &edge["errors"]), (&4.into(), &1.into()));
    assert_eq!(edge["weighted"], 7.0);
    assert_eq!(map["nodes"][1]["weighted"], 7.0);
}

#[test]
fn an_end_before_its_start_takes_no_time() {
    let mut wrong = span(1, 0, Server, "a");
    (wrong.outline.start, wrong.outline.end) = (100, 40);
    assert_eq!(map([vec![wrong]])["nodes"][0]["p99Nano"], "0");
}

#[test]
fn the_range_of_time_is_the_one_that_was_asked_for_if_all_of_it_was_read() {
    let second = 1_000_000_000;
    let mut outlines = outlines([
        vec![span(1, 0, Server, "a").takes(10 * second, 500_000_000)],
        vec![span(1, 0, Server, "a").takes(12 * second, second)],
        vec![span(1, 0, Server, "a").takes(0, 0)],
    ]);
    let mut seconds = |from, to, left_out| {
        outlines.left_out = left_out;
        let map: Json = serde_json::from_str(&draw(&outlines, (from, to))).unwrap();
        assert_eq!(map["leftOutTraces"], left_out);
        word(&map["spanSeconds"]).to_owned()
    };
    assert_eq!(seconds(None, None, 0), "3");
    assert_eq!(seconds(Some(5 * second), Some(20 * second), 0), "15");
    assert_eq!(seconds(Some(5 * second), Some(20 * second), 1), "3");
    assert_eq!(seconds(None, Some(20 * second), 0), "3");
    let open: f64 = seconds(Some(5 * second), None, 0).parse().unwrap();
    assert!(open > 1e9, "until now");
}

#[test]
fn nothing_is_a_map_without_nodes() {
    assert_eq!(
        draw(&Outlines::default(), (None, None)),
        "{\"nodes\":[],\"edges\":[],\"spanSeconds\":\"0\",\"traces\":0,\"spans\":0,\"leftOutTraces\":0}"
    );
}
