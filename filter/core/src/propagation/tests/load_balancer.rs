//! What Amazon's load balancers write on every request: rule XR-12, and the parts of XR-8.

use super::*;

/// The header of a load balancer that got none.
const ROOT: &str = "Root=1-67891233-abcdef012345678912345678";
/// The trace id of [`ROOT`].
const ROOT_ID: &str = "67891233abcdef012345678912345678";
/// The header of a second load balancer, behind an application that has added a part.
const SECOND: &str = "Self=1-67891234-12456789abcdef0123456789;Root=1-67891233-abcdef012345678912345678;CalledFrom=app";

fn reading(first: Format, inject: &[Format]) -> Propagation {
    let mut extract = vec![first];
    extract.extend(Format::ALL.into_iter().filter(|format| *format != first));
    Propagation {
        extract,
        inject: inject.to_vec(),
        ..Propagation::default()
    }
}

#[test]
fn xr_12_the_id_of_a_load_balancer_is_no_conflict_and_goes_on_as_it_came() {
    let traceparent = format!("00-{T}-{S}-01");
    let b3 = format!("{T}-{S}-1");
    for first in [Format::TraceContext, Format::XRay] {
        let propagation = reading(first, &[Format::TraceContext, Format::B3Multi]);
        for context in [("traceparent", &traceparent), ("b3", &b3)] {
            for value in [ROOT, SECOND, &format!("{ROOT};Sampled=?")] {
                let sent = [("x-amzn-trace-id", value), (context.0, context.1)];
                let passed = pass(&propagation, &sent);
                assert_eq!(passed.value("x-amzn-trace-id"), Some(value));
                assert_eq!(
                    passed.value("traceparent"),
                    Some(&*traceparent),
                    "{first:?}"
                );
                assert_eq!(passed.stats.get(Counter::ContextConflict), 0, "{value}");
                assert_eq!(passed.stats.get(counters::valid(Format::XRay)), 1);
                assert_eq!(passed.extraction.conflict, None);
            }
        }
    }
}

#[test]
fn xr_12_a_service_that_reads_x_ray_gets_the_trace_and_the_other_parts() {
    let traceparent = format!("00-{T}-{S}-01");
    let propagation = reading(Format::TraceContext, &[Format::TraceContext, Format::XRay]);
    let sent = [("x-amzn-trace-id", SECOND), ("traceparent", &*traceparent)];
    let passed = pass(&propagation, &sent);
    let expected = format!(
        "Root=1-4bf92f35-77b34da6a3ce929d0e0e4736;Parent={S};Sampled=1;Self=1-67891234-12456789abcdef0123456789;CalledFrom=app"
    );
    assert_eq!(passed.value("x-amzn-trace-id"), Some(&*expected));
    assert_eq!(passed.stats.get(Counter::ContextConflict), 0);
}

#[test]
fn xr_12_a_root_of_the_same_trace_or_with_a_caller_or_a_decision_is_a_context() {
    let traceparent = format!("00-{T}-{S}-01");
    let own = "Root=1-4bf92f35-77b34da6a3ce929d0e0e4736";
    for (value, conflicts) in [
        (own.to_string(), 0),
        (format!("{ROOT};Parent=05e3ac9a4f6e3b90"), 1),
        (format!("{ROOT};Sampled=0"), 1),
    ] {
        let sent = [("x-amzn-trace-id", &*value), ("traceparent", &*traceparent)];
        let passed = pass(&Propagation::default(), &sent);
        let expected = format!("{own};Parent={S};Sampled=1");
        assert_eq!(passed.value("x-amzn-trace-id"), Some(&*expected), "{value}");
        assert_eq!(passed.stats.get(Counter::ContextConflict), conflicts);
    }
}

#[test]
fn xr_4_and_xr_12_a_root_alone_is_the_trace_where_nobody_else_names_one() {
    for (others, sampled) in [
        (&[][..], ""),
        (&[("b3", "0")], ";Sampled=0"),
        (&[("traceparent", "00-bad")], ""),
    ] {
        let sent: Vec<_> = [("x-amzn-trace-id", SECOND)]
            .into_iter()
            .chain(others.iter().copied())
            .collect();
        let passed = pass(&Propagation::default(), &sent);
        let context = passed.extraction.context.expect("an id is a context");
        assert_eq!(context.trace_id.to_hex(), ROOT_ID.as_bytes());
        let expected =
            format!("{ROOT}{sampled};Self=1-67891234-12456789abcdef0123456789;CalledFrom=app");
        assert_eq!(passed.value("x-amzn-trace-id"), Some(&*expected));
    }
}

#[test]
fn xr_12_holds_where_formats_are_mirrored() {
    let traceparent = format!("00-{T}-{S}-01");
    let sent = [("x-amzn-trace-id", ROOT), ("traceparent", &*traceparent)];
    let passed = pass(&writing(&[Format::TraceContext]), &sent);
    assert_eq!(passed.value("x-amzn-trace-id"), None);
    let unlisted = Propagation {
        extract: vec![Format::TraceContext],
        ..Propagation::default()
    };
    let passed = pass(&unlisted, &sent);
    assert_eq!(passed.value("x-amzn-trace-id"), Some(ROOT));
}
