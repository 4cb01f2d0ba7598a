use super::super::context::Context;
use super::super::propagator::Propagator;
use super::*;
use crate::propagation::format::Format;
use crate::stats::Stats;
use alloc::format;
use alloc::string::ToString;

const T: &str = "4bf92f3577b34da6a3ce929d0e0e4736";
const S: &str = "00f067aa0ba902b7";

fn attributes(count: usize) -> MessageAttributes {
    let texts = (0..count).map(|at| (format!("tenant.{at}"), "shop".to_string()));
    MessageAttributes::new(texts, 0, None)
}

fn context() -> Context {
    let headers = Vec::from([
        (String::from("traceparent"), format!("00-{T}-{S}-01").into()),
        (String::from("tracestate"), Vec::from(b"ot=th:0")),
    ]);
    let received = Propagator::new(&[]).extract(&headers, &mut Stats::default());
    received.context.expect("a context")
}

#[test]
fn mq_7_writes_a_format_whole_or_not_at_all_within_ten_attributes() {
    let formats = [Format::TraceContext, Format::B3Multi, Format::B3];
    let many = ["x-b3-traceid", "x-b3-spanid", "x-b3-sampled"];
    for (own, expected) in [
        (4, Vec::new()),
        // One header for b3 is left behind the three that are not.
        (5, Vec::from(["b3"])),
        (6, Vec::from(many)),
        (7, Vec::from(many)),
        (8, [&many[..], &["b3"]].concat()),
        (9, [&["tracestate"], &many[..], &["b3"]].concat()),
        (
            10,
            [&["traceparent", "tracestate"], &many[..], &["b3"]].concat(),
        ),
    ] {
        let mut message = attributes(own);
        let left_out = Propagator::new(&formats).inject(&context(), &mut message);
        assert_eq!(left_out, expected, "{own} attributes of the sender");
        assert!(message.texts().count() <= MessageAttributes::MAX_COUNT);
        let found = message
            .texts()
            .filter(|(_, value)| *value == "shop")
            .count();
        assert_eq!(found, own, "the sender's own stay");
    }
    let mut full = MessageAttributes::new([], 10, None);
    let left_out = Propagator::new(&[Format::B3]).inject(&context(), &mut full);
    assert_eq!(left_out, ["b3"]);
}

#[test]
fn mq_7_a_format_that_no_longer_fits_does_not_stay_stale() {
    let stale = ("X-B3-TraceId".to_string(), "1".repeat(32));
    let texts = (0..9).map(|at| (format!("tenant.{at}"), "shop".to_string()));
    let mut message = MessageAttributes::new(texts.chain([stale]), 0, None);
    let left_out = Propagator::new(&[Format::B3Multi]).inject(&context(), &mut message);
    assert_eq!(left_out.len(), 3);
    assert_eq!(message.texts().count(), 9);
}

#[test]
fn mq_7_what_is_right_already_does_not_stay_alone() {
    let own = || (0..9).map(|at| (format!("tenant.{at}"), "shop".to_string()));
    let decision = ("x-b3-sampled".to_string(), "1".to_string());
    let mut message = MessageAttributes::new(own().chain([decision]), 0, None);
    let left_out = Propagator::new(&[Format::B3Multi]).inject(&context(), &mut message);
    assert_eq!(left_out, ["x-b3-traceid", "x-b3-spanid"]);
    assert_eq!(message.texts().count(), 9, "no decision without ids");
    // What is stale makes room for what is enough alone.
    let list = ("tracestate".to_string(), "a=1".to_string());
    let mut message = MessageAttributes::new(own().chain([list]), 0, None);
    let left_out = Propagator::new(&[Format::TraceContext]).inject(&context(), &mut message);
    assert_eq!(left_out, ["tracestate"]);
    assert!(message.texts().any(|(name, _)| name == "traceparent"));
}

#[test]
fn mq_8_x_rays_header_is_the_system_attribute_and_takes_no_room() {
    let mut message = attributes(10);
    let left_out = Propagator::new(&[Format::XRay]).inject(&context(), &mut message);
    assert_eq!(left_out, [""; 0]);
    let header = message.trace_header().expect("a trace header").to_string();
    assert!(header.starts_with("Root=1-4bf92f35-77b34da6a3ce929d0e0e4736;Parent=00f067aa0ba902b7"));
    assert_eq!(message.texts().count(), 10);
    let received = MessageAttributes::new([], 0, Some(&header));
    let propagator = Propagator::new(&[]);
    let found = propagator.extract(&received, &mut Stats::default());
    let span = found.context.expect("a context").span;
    assert_eq!(span.trace_id.to_hex(), T.as_bytes());
    message.remove_all("X-Amzn-Trace-Id");
    assert_eq!(message.trace_header(), None);
}

#[test]
fn what_the_attributes_add_to_the_message_is_names_types_and_values() {
    let mut message = attributes(0);
    Propagator::new(&[Format::TraceContext, Format::XRay]).inject(&context(), &mut message);
    // traceparent with 55 bytes, tracestate with `ot=th:0`; the system attribute does not count.
    assert_eq!(message.bytes(), 11 + 6 + 55 + 10 + 6 + 7);
    // Of the characters that SQS allows in names, and none of the beginnings that it forbids.
    for (name, value) in message.texts() {
        let allowed = |byte: u8| byte.is_ascii_alphanumeric() || matches!(byte, b'-' | b'_' | b'.');
        assert!(name.bytes().all(allowed) && !value.is_empty(), "{name}");
        assert!(!name.starts_with("aws.") && !name.starts_with("amazon."));
    }
}
