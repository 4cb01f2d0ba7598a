//! Kept paths: from a failure, or from a slow span, up to the root, the path of spans that were not sampled is kept, whole
//! and nothing else. On real Envoys, five services in two branches, at 0 %.
//!
//! The services pass on `traceparent` and know nothing of keeping; `kept_paths/mesh.rs` has their topology and
//! `kept_paths/service.rs` their behaviour.

mod grpc;
mod mesh;
mod path;
mod service;

use std::sync::OnceLock;

use serde_json::json;
use sidespan_tests::caller::Caller;
use sidespan_tests::http::{Request, Response, send};

use mesh::{Entry, Mesh, keeping};
use path::{of_gateway, path};

/// Every span between the bank and the root, and why each is kept, for a failure that every service passes on.
const ALL_FAIL: [&str; 7] = [
    "front SERVER error",
    "front CLIENT error",
    "orders SERVER error",
    "orders CLIENT error",
    "payments SERVER error",
    "payments CLIENT error",
    "bank SERVER error",
];

/// The path where orders hides the failure.
const ORDERS_HIDES: [&str; 7] = [
    "front SERVER callee",
    "front CLIENT callee",
    "orders SERVER callee",
    "orders CLIENT error",
    "payments SERVER error",
    "payments CLIENT error",
    "bank SERVER error",
];

/// The path where only the bank and its caller see the failure.
const PAYMENTS_HIDES: [&str; 7] = [
    "front SERVER callee",
    "front CLIENT callee",
    "orders SERVER callee",
    "orders CLIENT callee",
    "payments SERVER callee",
    "payments CLIENT error",
    "bank SERVER error",
];

#[test]
#[cfg_attr(no_envoy, ignore = "no Envoy 1.40.0 for this machine")]
fn a_healthy_request_leaves_nothing() {
    let caller = Caller::fresh();
    let answer = mesh().request(Entry::Front, "errors", "healthy", &caller);
    assert_eq!((answer.status, timing(&answer)), (200, own("front")));
    assert_eq!(mesh().spans("errors", &caller), []);
}

#[test]
#[cfg_attr(no_envoy, ignore = "no Envoy 1.40.0 for this machine")]
fn a_failure_brings_its_path_to_the_root_and_nothing_of_the_healthy_branch() {
    for (case, status, expected) in [
        ("failing", 503, ALL_FAIL),
        ("hidden", 200, ORDERS_HIDES),
        ("hidden-early", 200, PAYMENTS_HIDES),
        ("late", 200, ORDERS_HIDES),
        ("parallel", 503, ALL_FAIL),
        // The call that went well is no part of the path.
        ("retried", 200, PAYMENTS_HIDES),
        ("broken", 502, ALL_FAIL),
    ] {
        let caller = Caller::fresh();
        let answer = mesh().request(Entry::Front, "errors", case, &caller);
        assert_eq!(answer.status, status, "{case}");
        let spans = mesh().spans("errors", &caller);
        assert_eq!(path(&spans), expected, "{case}");
        let root = spans
            .iter()
            .find(|span| span.parent_span_id.as_ref() == Some(&caller.span_id));
        let root = root.unwrap_or_else(|| panic!("{case}: the root has the caller for its parent"));
        assert_eq!(
            timing(&answer),
            [word(&caller.trace_id, &root.span_id), own("front")].join(", "),
            "{case}"
        );
    }
}

#[test]
#[cfg_attr(no_envoy, ignore = "no Envoy 1.40.0 for this machine")]
fn what_a_service_says_in_a_second_line_stays() {
    let own = "front;dur=53, db;dur=1";
    for (entry, has_word) in [(Entry::Front, true), (Entry::Gateway, false)] {
        let caller = Caller::fresh();
        let answer = mesh().request(entry, "errors", "lines", &caller);
        let said = timing(&answer);
        match has_word {
            true => {
                let (word, rest) = said.split_once(", ").expect("more than a word");
                assert!(word.starts_with("trace;desc=00-"), "{said}");
                assert_eq!(rest, own);
            }
            false => assert_eq!(said, own),
        }
    }
}

#[test]
#[cfg_attr(no_envoy, ignore = "no Envoy 1.40.0 for this machine")]
fn a_slow_leaf_brings_its_path_to_the_root() {
    let caller = Caller::fresh();
    let answer = mesh().request(Entry::Front, "slow", "slow", &caller);
    assert_eq!(answer.status, 200);
    let expected = ALL_FAIL.map(|span| span.replace("error", "slow"));
    assert_eq!(path(&mesh().spans("slow", &caller)), expected);
    // Nothing is slow where `slowerThan` is not set.
    let caller = Caller::fresh();
    mesh().request(Entry::Front, "errors", "slow", &caller);
    assert_eq!(mesh().spans("errors", &caller), []);
}

#[test]
#[cfg_attr(no_envoy, ignore = "no Envoy 1.40.0 for this machine")]
fn a_grpc_status_in_the_trailers_brings_its_path_to_the_root() {
    for (case, status, expected) in [
        ("healthy", 0, None),
        ("failing", 14, Some(ALL_FAIL)),
        ("bare", 14, Some(ALL_FAIL)),
        ("hidden", 0, Some(ORDERS_HIDES)),
        ("refused", 5, None),
    ] {
        let caller = Caller::fresh();
        let answer = mesh().call(Entry::Front, "errors", case, &caller);
        assert_eq!(answer.status, status, "{case}");
        let spans = mesh().spans("errors", &caller);
        let said = answer.timing.expect("what the service says");
        match expected {
            Some(expected) => {
                assert_eq!(path(&spans), expected, "{case}");
                assert!(said.starts_with("trace;desc=00-"), "{case}: {said}");
                assert!(said.ends_with(", app;dur=53"), "{case}: {said}");
            }
            None => {
                assert_eq!(spans, [], "{case}");
                assert_eq!(said, "app;dur=53", "{case}");
            }
        }
    }
}

#[test]
#[cfg_attr(no_envoy, ignore = "no Envoy 1.40.0 for this machine")]
fn a_gateway_is_on_the_path_and_lets_no_word_of_ours_out() {
    for (case, expected) in [("failing", ALL_FAIL), ("hidden", ORDERS_HIDES)] {
        let caller = Caller::fresh();
        let answer = mesh().request(Entry::Gateway, "errors", case, &caller);
        assert_eq!(timing(&answer), own("front"), "{case}");
        let spans = mesh().spans("errors", &caller);
        assert_eq!(path(&spans), of_gateway(&expected), "{case}");
        let caller = Caller::fresh();
        let answer = mesh().call(Entry::Gateway, "errors", case, &caller);
        assert_eq!(answer.timing.as_deref(), Some("app;dur=53"), "{case}");
        let spans = mesh().spans("errors", &caller);
        assert_eq!(path(&spans), of_gateway(&expected), "{case}");
    }
}

#[test]
#[cfg_attr(no_envoy, ignore = "no Envoy 1.40.0 for this machine")]
fn a_trace_that_begins_at_the_gateway_has_a_root_there() {
    let known = mesh().collector.sink().snapshot().trace_ids();
    let address = mesh().way_in(Entry::Gateway, "roots");
    let answer = send(address, &Request::get("/roots/http/front/hidden"));
    assert_eq!(answer.status, 200);
    mesh().settled("roots");
    let spans = mesh().collector.sink().spans();
    let is_root = |span: &&std::sync::Arc<sidespan_sink::StoredSpan>| span.parent_span_id.is_none();
    let roots: Vec<_> = spans.iter().filter(is_root).collect();
    let [root] = roots[..] else {
        panic!("one trace has begun here: {roots:?}");
    };
    assert!(!known.contains(&root.trace_id));
    let trace = mesh().collector.sink().trace(&root.trace_id);
    assert_eq!(path(&trace), of_gateway(&ORDERS_HIDES));
}

#[test]
#[cfg_attr(no_envoy, ignore = "no Envoy 1.40.0 for this machine")]
fn where_nothing_is_told_each_keeps_what_it_sees_itself() {
    let caller = Caller::fresh();
    let answer = mesh().request(Entry::Front, "quiet", "hidden", &caller);
    assert_eq!((answer.status, timing(&answer)), (200, own("front")));
    let spans = mesh().spans("quiet", &caller);
    // The note stays within the pod; orders hides the failure from its caller.
    assert_eq!(path(&spans), ORDERS_HIDES[2..]);
}

/// Lets Envoy retry: its filters see one request for all attempts, and nothing of a response that was thrown away.
#[test]
#[cfg_attr(no_envoy, ignore = "no Envoy 1.40.0 for this machine")]
fn of_a_try_that_the_proxy_repeats_only_the_callees_own_span_is_kept() {
    let caller = Caller::fresh();
    let answer = mesh().request(Entry::Front, "retries", "retried", &caller);
    assert_eq!((answer.status, timing(&answer)), (200, own("front")));
    let spans = mesh().spans("retries", &caller);
    assert_eq!(path(&spans), ["bank SERVER error"]);
    // Where all attempts fail, the path is kept.
    let caller = Caller::fresh();
    mesh().request(Entry::Front, "retries", "hidden-early", &caller);
    let spans = mesh().spans("retries", &caller);
    let (mut tries, mut others): (Vec<_>, Vec<_>) =
        spans.into_iter().partition(|span| span.service() == "bank");
    assert_eq!(tries.len(), 2, "each try is a SERVER span");
    others.extend(tries.pop());
    assert_eq!(path(&others), PAYMENTS_HIDES);
}

/// Starts a mesh of its own, whose Envoys have two workers: the failed call passes one of them, and the response mostly the
/// other.
#[test]
#[cfg_attr(no_envoy, ignore = "no Envoy 1.40.0 for this machine")]
fn twenty_of_twenty_paths_are_whole_with_two_workers() {
    let mesh = Mesh::start(2, &[("errors", keeping(&json!({"spansPerSecond": 1000})))]);
    let callers: Vec<Caller> = (0..20).map(|_| Caller::fresh()).collect();
    for caller in &callers {
        let answer = mesh.request(Entry::Gateway, "errors", "hidden-early", caller);
        assert_eq!(answer.status, 200);
    }
    for caller in &callers {
        let spans = mesh
            .collector
            .trace(&caller.trace_id, PAYMENTS_HIDES.len() + 2);
        assert_eq!(path(&spans), of_gateway(&PAYMENTS_HIDES));
    }
}

/// Returns the service's own entry of `server-timing`.
fn own(service: &str) -> String {
    format!("{service};dur=53")
}

fn word(trace_id: &str, span_id: &str) -> String {
    format!("trace;desc=00-{trace_id}-{span_id}-01")
}

fn timing(answer: &Response) -> String {
    answer
        .headers
        .one("server-timing")
        .expect("what the service says")
}

fn mesh() -> &'static Mesh {
    static MESH: OnceLock<Mesh> = OnceLock::new();
    MESH.get_or_init(|| {
        let lane = |name, keep| (name, keeping(&keep));
        Mesh::start(
            1,
            &[
                lane("errors", json!({"spansPerSecond": 1000})),
                lane(
                    "slow",
                    json!({"spansPerSecond": 1001, "slowerThan": service::SLOWER_THAN}),
                ),
                lane("quiet", json!({"spansPerSecond": 1000, "tell": false})),
                lane("roots", json!({"spansPerSecond": 1002})),
                lane("retries", json!({"spansPerSecond": 1003})),
            ],
        )
    })
}
