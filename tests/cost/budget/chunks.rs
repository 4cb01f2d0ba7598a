//! The entries into the module for a response in many parts: Envoy calls nothing that is not exported.

use serde_json::{Value, json};
use sidespan::bench::request_kind::{CLUSTER, SAMPLED, UNSAMPLED, USUAL};
use sidespan_host::{Action, EndOfStream, Ending, Headers, Host, StreamProperties};
use sidespan_tests::worlds::module;

#[test]
fn a_response_of_a_thousand_chunks_costs_the_entries_of_one() {
    let export = json!({"otlp": {"cluster": CLUSTER}});
    for (configuration, context) in [
        (
            json!({"sampling": {"percentage": 100}, "export": export}),
            SAMPLED,
        ),
        (
            json!({"sampling": {"percentage": 0}, "export": export}),
            UNSAMPLED,
        ),
        (json!({"role": "attempt", "export": export}), SAMPLED),
        (json!({}), SAMPLED),
    ] {
        let of = |chunks| entries(&configuration, context, chunks);
        assert_eq!(of(1_000), of(1), "{configuration}");
    }
}

/// Returns the entries for one exchange whose response has so many chunks.
fn entries(configuration: &Value, context: (&str, &str), chunks: usize) -> u64 {
    let mut host = Host::builder(module())
        .plugin_name("sidespan")
        .plugin_configuration(configuration.to_string())
        .cluster(CLUSTER)
        .start()
        .unwrap_or_else(|error| panic!("{error}"));
    host.clear_transcript();
    let stream = host.open_stream(StreamProperties::new().listener_direction(1));
    let headers: Headers = USUAL.into_iter().chain([context]).collect();
    let mut passed = vec![host.request_headers(stream, headers, EndOfStream::Yes)];
    passed.push(host.response_headers(stream, [(":status", "200")], EndOfStream::No));
    for left in (0..chunks).rev() {
        let end = match left {
            0 => EndOfStream::Yes,
            _ => EndOfStream::No,
        };
        passed.push(host.response_body(stream, b"chunk", end));
    }
    assert!(passed.iter().all(|action| *action == Action::Continue));
    host.end(stream, Ending::Complete).expect("one end");
    assert_eq!(host.trap(), None);
    host.transcript().entries()
}
