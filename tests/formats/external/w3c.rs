//! The 41 cases of the W3C trace-context suite, level 2, strict, under the suite's names, on a real Envoy.
//!
//! The suite: <https://github.com/w3c/trace-context/tree/acab820be9db7b3433668baa5cdd43f57f4c4be0/test>, with `SPEC_LEVEL`
//! and `STRICT_LEVEL` 2. Requests go through the topology of `w3c/mesh.rs`. Beside the filter stand Envoy's own tracers:
//! the same cases show the behaviour of a mesh without the filter.

mod cases;
mod mesh;

use std::panic::{AssertUnwindSafe, catch_unwind};
use std::sync::OnceLock;

use serde_json::json;
use sidespan_envoy::{Tracer, ZipkinContext};
use sidespan_tests::envoy::filter;

use mesh::Mesh;

/// A test of the filter for every case, and a table of all cases for other filters and tracers.
macro_rules! suite {
    ($($name:ident)*) => {
        $(
            #[test]
            #[cfg_attr(no_envoy, ignore = "no Envoy 1.40.0 for this machine")]
            fn $name() {
                cases::$name(sidespan());
            }
        )*

        const CASES: &[(&str, fn(&Mesh))] = &[$((stringify!($name), cases::$name)),*];
    };
}

suite! {
    test_both_traceparent_and_tracestate_missing
    test_traceparent_included_tracestate_missing
    test_traceparent_duplicated
    test_traceparent_header_name
    test_traceparent_header_name_valid_casing
    test_traceparent_version_0x00
    test_traceparent_version_0xcc
    test_traceparent_version_0xff
    test_traceparent_version_illegal_characters
    test_traceparent_version_too_long
    test_traceparent_version_too_short
    test_traceparent_trace_id_all_zero
    test_traceparent_trace_id_illegal_characters
    test_traceparent_trace_id_too_long
    test_traceparent_trace_id_too_short
    test_traceparent_parent_id_all_zero
    test_traceparent_parent_id_illegal_characters
    test_traceparent_parent_id_too_long
    test_traceparent_parent_id_too_short
    test_traceparent_trace_flags_illegal_characters
    test_traceparent_trace_flags_too_long
    test_traceparent_trace_flags_too_short
    test_traceparent_ows_handling
    test_tracestate_included_traceparent_missing
    test_tracestate_included_traceparent_included
    test_tracestate_header_name
    test_tracestate_header_name_valid_casing
    test_tracestate_empty_header
    test_tracestate_multiple_headers_different_keys
    test_tracestate_duplicated_keys
    test_tracestate_all_allowed_characters
    test_tracestate_ows_handling
    test_tracestate_key_illegal_characters
    test_tracestate_key_illegal_vendor_format
    test_tracestate_member_count_limit
    test_tracestate_key_length_limit
    test_tracestate_value_illegal_characters
    test_multiple_requests_with_valid_traceparent
    test_multiple_requests_without_traceparent
    test_multiple_requests_with_illegal_traceparent
    test_propagates_random_flag
}

#[test]
fn is_the_whole_suite() {
    assert_eq!(CASES.len(), 41);
}

/// Counts the failing cases, by number: 3, 6 to 22, 33 to 37, 40, 41.
#[test]
#[cfg_attr(no_envoy, ignore = "no Envoy 1.40.0 for this machine")]
fn envoys_opentelemetry_tracer_fails_25() {
    let mesh = Mesh::start(|listener| {
        let tracer = Tracer::opentelemetry("nobody", "mesh");
        listener.tracer(tracer)
    });
    let failing: Vec<usize> = [3]
        .into_iter()
        .chain(6..=22)
        .chain(33..=37)
        .chain([40, 41])
        .collect();
    assert_eq!(failures(&mesh), failing);
}

#[test]
#[cfg_attr(no_envoy, ignore = "no Envoy 1.40.0 for this machine")]
fn envoys_zipkin_tracer_fails_10() {
    let mesh = Mesh::start(|listener| {
        let tracer = Tracer::zipkin("nobody", ZipkinContext::B3AndW3c);
        listener.tracer(tracer)
    });
    assert_eq!(failures(&mesh), [3, 7, 8, 24, 33, 34, 35, 36, 37, 41]);
}

/// Returns the numbers of the cases that fail, counted from 1 as in the suite's documentation.
fn failures(mesh: &Mesh) -> Vec<usize> {
    let fails = |case: fn(&Mesh)| catch_unwind(AssertUnwindSafe(|| case(mesh))).is_err();
    let numbered = CASES.iter().zip(1..);
    numbered
        .filter_map(|((_, case), number)| fails(*case).then_some(number))
        .collect()
}

fn sidespan() -> &'static Mesh {
    static MESH: OnceLock<Mesh> = OnceLock::new();
    MESH.get_or_init(|| {
        let configuration = json!({"sampling": {"percentage": 100}});
        Mesh::start(|listener| listener.filter(filter(&configuration).filter()))
    })
}
