//! What goes out continues what came in with the same `x-request-id`.

use super::*;
use crate::direction::Direction;
use crate::propagation::context::{SamplingState, SpanContext};
use crate::shared_data::request_ids::{self, RequestId};
use crate::time::Nanos;

const ON: &str = r#""correlation": {"requestId": true}"#;

/// A request, and what was to be noted of it.
fn noting(
    config: &str,
    direction: Direction,
    headers: &[(&str, &str)],
    noted: Option<SpanContext>,
) -> (StreamInfo, Option<SpanContext>, usize) {
    let entropy = SequentialBytes(if direction == Direction::Inbound {
        1
    } else {
        101
    });
    let mut filter = filter(entropy, config, direction, &Node::default());
    let id = RequestId::new(b"7f3").unwrap();
    let find = |proxy: &InMemoryProxy| request_ids::find(proxy, id, || Nanos(1));
    if let Some(context) = noted {
        request_ids::note(&filter.proxy, id, &context, Nanos(1));
    }
    filter.proxy.logs_debug.set(true);
    filter.proxy.open(HeaderList::new(headers.iter().copied()));
    filter.proxy.shared_reads.take();
    filter.proxy.shared_writes.take();
    let mut stream = StreamState::default();
    filter.on_request_headers(&mut stream);

    let line = filter.proxy.log.take().concat();
    let is_joined = filter.state.stats.get(Counter::ContextCorrelated) > 0;
    assert_eq!(line.contains("x-request-id; decision"), is_joined, "{line}");
    // Notes of `tracestate` are another matter.
    let others = |keys: Vec<Vec<u8>>| -> Vec<Vec<u8>> {
        let is_other = |key: &Vec<u8>| !key.starts_with(b"sidespan.list");
        keys.into_iter().filter(is_other).collect()
    };
    let (read, written) = (
        others(filter.proxy.shared_reads.take()),
        others(filter.proxy.shared_writes.take()),
    );
    let elsewhere = InMemoryProxy::default();
    find(&elsewhere);
    let note = &elsewhere.shared_reads.take()[0];
    assert!(read.iter().chain(&written).all(|key| key == note));
    let to_note = (!written.is_empty()).then(|| find(&filter.proxy).unwrap());
    (end(filter, stream), to_note, read.len())
}

#[test]
fn what_goes_out_with_the_id_of_what_came_in_is_its_child_and_follows_it() {
    let id = ("x-request-id", "7f3");
    for (flags, more) in [
        ("01", ""),
        ("00", ""),
        ("01", r#", "trust": {"context": "restart"}"#),
    ] {
        let config = format!("{{{EXPORT}, {ON}{more}}}");
        let traceparent = format!("00-{T}-{S}-{flags}");
        let came = [("traceparent", &*traceparent), id];
        let (inbound, noted, asked) = noting(&config, Direction::Inbound, &came, None);
        assert_eq!(asked, 0, "it carries a context");
        let (outbound, again, asked) = noting(&config, Direction::Outbound, &[id], noted);
        assert_eq!((asked, again), (1, None), "only what comes in is noted");
        let [before, after] = [&inbound, &outbound].map(|it| it.value("traceparent").unwrap());
        assert_eq!(before[..35], after[..35], "one trace");
        assert_ne!(before[36..52], after[36..52], "another span");
        assert_eq!(before[52..], after[52..], "one decision");
        assert_eq!(inbound.spans.len(), outbound.spans.len());
        for (server, client) in inbound.spans.iter().zip(&outbound.spans) {
            assert_eq!(client.parent_span_id, Some(server.span_id));
            assert_eq!(client.kind, SpanKind::Client);
        }
        assert_eq!(outbound.stats.get(Counter::ContextCorrelated), 1);
        let received = [Counter::SampledReceived, Counter::DroppedReceived];
        let followed = received.map(|counter| outbound.stats.get(counter));
        assert_eq!(followed.iter().sum::<u64>(), 1);
    }
}

#[test]
fn a_root_is_noted_as_well_and_a_limit_does_not_meet_it_twice() {
    let config = format!(
        r#"{{{ON}, "sampling": {{"percentage": 100, "consistent": false, "rateLimit": {{"tracesPerSecond": 0}}}}}}"#
    );
    let id = ("x-request-id", "7f3");
    let (_, noted, _) = noting(&config, Direction::Inbound, &[id], None);
    let noted = noted.unwrap();
    assert_eq!(noted.sampling, SamplingState::Deny);
    let accepted = SpanContext {
        sampling: SamplingState::Accept,
        ..noted
    };
    let (outbound, ..) = noting(&config, Direction::Outbound, &[id], Some(accepted));
    assert!(outbound.value("traceparent").unwrap().ends_with("-01"));
}

#[test]
fn nothing_is_asked_where_it_does_not_matter() {
    let id = ("x-request-id", "7f3");
    let config = format!("{{{EXPORT}, {ON}}}");
    let b3 = format!("{T}-{S}");
    let long = "x".repeat(129);
    let outbound = Direction::Outbound;
    for (config, direction, headers, count) in [
        (&*config, outbound, &[id][..], 1),
        (&config, Direction::Inbound, &[id], 0),
        (&config, Direction::Edge, &[id], 0),
        (&config, outbound, &[], 0),
        (&config, outbound, &[id, ("b3", &b3)], 0),
        (&config, outbound, &[("x-request-id", "a b")], 0),
        (&config, outbound, &[("x-request-id", &long)], 0),
        (&config, outbound, &[id, id], 0),
        (&config, outbound, &[id, (":path", "/healthz")], 0),
        (&format!("{{{EXPORT}}}"), outbound, &[id], 0),
    ] {
        let (done, noted, asked) = noting(config, direction, headers, None);
        assert_eq!(asked, count, "{direction:?} {headers:?}");
        assert_eq!(
            noted.is_some(),
            config.contains(ON) && direction == Direction::Inbound
        );
        assert_eq!(done.stats.get(Counter::ContextCorrelated), 0);
        if !headers
            .iter()
            .any(|(name, _)| *name == "b3" || *name == ":path")
        {
            let decided = [Counter::SampledDefault, Counter::DroppedDefault];
            let roots = decided.map(|counter| done.stats.get(counter));
            assert_eq!(roots.iter().sum::<u64>(), 1, "a root");
        }
    }
}

#[test]
fn what_the_request_says_of_sampling_goes_before_what_was_noted() {
    let id = ("x-request-id", "7f3");
    let config = format!("{{{EXPORT}, {ON}}}");
    let (_, noted, _) = noting(&config, Direction::Inbound, &[id], None);
    for (b3, expected) in [("0", "-00"), ("1", "-01")] {
        let sent = [id, ("b3", b3)];
        let (done, ..) = noting(&config, Direction::Outbound, &sent, noted);
        let traceparent = done.value("traceparent").unwrap();
        assert!(traceparent.ends_with(expected), "{traceparent}");
        let trace_id = noted.unwrap().trace_id.to_hex();
        assert!(traceparent.contains(core::str::from_utf8(&trace_id).unwrap()));
    }
}

#[test]
fn who_only_translates_hands_on_what_came_in() {
    let id = ("x-request-id", "7f3");
    let config = format!("{{{ON}}}");
    let (plain, noted, _) = noting(&config, Direction::Inbound, &[id], None);
    assert_eq!((plain.value("traceparent"), noted), (None, None));
    let traceparent = format!("00-{T}-{S}-01");
    let came = [("traceparent", &*traceparent), id];
    let (_, noted, _) = noting(&config, Direction::Inbound, &came, None);
    let (done, ..) = noting(&config, Direction::Outbound, &[id], noted);
    assert_eq!(done.value("traceparent"), Some(traceparent));
    let (alone, ..) = noting(&config, Direction::Outbound, &[id], None);
    assert_eq!(alone.headers.iter().count(), 1, "as it came");
}
