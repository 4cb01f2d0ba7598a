//! gRPC calls, whose status comes at their end.

use super::*;

#[test]
fn a_call_that_its_caller_breaks_off_has_not_failed() {
    // The caller is gone, or nobody is.
    for (flags, kept) in [(0x4000, 0), (0, 1)] {
        for direction in [Direction::Inbound, Direction::Outbound] {
            let mut pod = Pod::of("{}");
            let traceparent = format!("00-{T}-{S}-00");
            let headers = [
                (":method", "POST"),
                ("content-type", "application/grpc+proto"),
                ("traceparent", traceparent.as_str()),
            ];
            let answer = Record::answered(200).number("response.flags", flags);
            let done = pod.exchange(direction, &headers, &answer, 0);
            assert_eq!(done.spans.len(), kept, "{flags:#x}, {direction:?}");
        }
    }
}

#[test]
fn a_status_that_cannot_be_read_is_a_failure_on_the_span_and_for_keeping() {
    for (status, has_failed) in [("0", false), ("13", true), ("02", true), ("abc", true)] {
        for direction in [Direction::Inbound, Direction::Outbound] {
            let mut pod = Pod::of("{}");
            let traceparent = format!("00-{T}-{S}-00");
            let headers = [
                (":method", "POST"),
                ("content-type", "application/grpc"),
                ("traceparent", traceparent.as_str()),
            ];
            let answer = Record::answered(200).header("grpc-status", status);
            let done = pod.exchange(direction, &headers, &answer, 0);
            let statuses: Vec<_> = done.spans.iter().map(|span| span.status).collect();
            let expected = if has_failed {
                &[Status::Error][..]
            } else {
                &[]
            };
            assert_eq!(statuses, expected, "{status}, {direction:?}");
        }
    }
}
