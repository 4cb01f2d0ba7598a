//! `cargo test -p example-rate-limit`

use std::time::Duration;

use sidespan_host::{
    Action, EndOfStream, Ending, Host, Module, Shared, StartFailure, StreamProperties,
};

fn module() -> Module {
    Module::of_package(env!("CARGO_MANIFEST_DIR")).unwrap()
}

fn worker(shared: &Shared) -> Host {
    let host = Host::builder(&module()).plugin_configuration("2 requests in 30 seconds");
    host.shared(shared).start().unwrap()
}

fn passes(host: &mut Host) -> bool {
    let stream = host.open_stream(StreamProperties::new());
    let headers = [(":method", "GET"), (":path", "/"), (":authority", "shop")];
    let action = host.request_headers(stream, headers, EndOfStream::Yes);
    host.end(stream, Ending::Complete);
    action == Action::Continue
}

#[test]
fn lets_two_through_and_two_more_after_half_a_minute() {
    let mut host = worker(&Shared::new());
    assert_eq!([0; 3].map(|_| passes(&mut host)), [true, true, false]);
    host.advance(Duration::from_secs(29));
    assert!(!passes(&mut host));
    host.advance(Duration::from_secs(1));
    assert_eq!([0; 3].map(|_| passes(&mut host)), [true, true, false]);
}

#[test]
fn counts_over_all_workers() {
    let shared = Shared::new();
    let (mut one, mut other) = (worker(&shared), worker(&shared));
    assert!(passes(&mut one) && passes(&mut other));
    assert!(!passes(&mut one) && !passes(&mut other));
}

#[test]
fn says_when_to_come_back() {
    let mut host = Host::builder(&module())
        .plugin_configuration("0 in 30")
        .start()
        .unwrap();
    let stream = host.open_stream(StreamProperties::new());
    let headers = [(":method", "GET"), (":path", "/"), (":authority", "shop")];
    assert_eq!(
        host.request_headers(stream, headers, EndOfStream::Yes),
        Action::LocalReply
    );
    let response = host.stream(stream).unwrap().response().headers().unwrap();
    assert_eq!(response.get("retry-after"), Some(&b"30"[..]));
}

#[test]
fn refuses_a_configuration_without_two_numbers() {
    for bad in ["", "2", "2 requests in 0 seconds"] {
        let refused = Host::builder(&module()).plugin_configuration(bad).start();
        assert_eq!(
            refused.unwrap_err().reason,
            StartFailure::Configure,
            "{bad}"
        );
    }
}
