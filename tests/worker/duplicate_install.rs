//! Two copies of the filter in one chain: the second stands aside, and a single copy pays nothing for that.
//!
//! Istio appends the plugins of a namespace to those of the root namespace, so two copies happen by accident.

use std::time::Duration;

use sidespan_host::{Action, EndOfStream, Ending, Headers, Host, Shared, StreamProperties};
use sidespan_tests::worlds::module;

const ALL: &str = r#"{"sampling": {"percentage": 100}}"#;

fn copy(name: &str, process: &Shared) -> Host {
    Host::builder(module())
        .plugin_name(name)
        .plugin_configuration(ALL)
        .property(["xds", "node", "id"], "sidecar~10.0.0.1~cart.payments")
        .shared(process)
        .start()
        .unwrap_or_else(|error| panic!("{error}"))
}

/// Sends one request and returns the headers that went on.
fn request(host: &mut Host, properties: StreamProperties) -> Vec<(Vec<u8>, Vec<u8>)> {
    let stream = host.open_stream(properties.listener_direction(1));
    let sent: Headers = [(":method", "GET"), ("b3", "0")].into_iter().collect();
    let action = host.request_headers(stream, sent, EndOfStream::Yes);
    assert_eq!(action, Action::Continue);
    let ended = host.end(stream, Ending::Complete).expect("one end");
    let headers = ended.request().headers().expect("headers");
    let owned = |(name, value): (&[u8], &[u8])| (name.to_vec(), value.to_vec());
    headers.iter().map(owned).collect()
}

#[test]
fn a_copy_that_comes_second_touches_nothing_and_counts() {
    let process = Shared::new();
    let mut copies = ["mesh", "shop"].map(|name| copy(name, &process));
    for copy in &mut copies {
        // The first copy learns of the other on its tick.
        copy.advance(Duration::from_secs(1));
        let seen = StreamProperties::new().set(["sidespan.seen"], "1");
        assert_eq!(request(copy, seen).len(), 2, "as it came");
        let added = request(copy, StreamProperties::new()).len();
        assert!(added > 2, "the first in its chain");
        copy.advance(Duration::from_secs(1));
    }
    assert_eq!(
        process.counter("sidespan.context.duplicate_install"),
        Some(2)
    );
}

#[test]
fn a_copy_that_is_alone_asks_nothing_of_the_stream() {
    let asked = |host: &mut Host| {
        host.advance(Duration::from_secs(1));
        // The first request draws randomness for many.
        request(host, StreamProperties::new());
        host.clear_transcript();
        request(host, StreamProperties::new());
        let calls = host.transcript();
        let properties = calls.count("proxy_get_property") + calls.count("proxy_set_property");
        (properties, calls.total())
    };
    let process = Shared::new();
    let mut first = copy("mesh", &process);
    let (properties, alone) = asked(&mut first);
    assert_eq!(properties, 0, "{:?}", first.transcript().calls());
    let _second = copy("shop", &process);
    assert_eq!(
        asked(&mut first),
        (2, alone + 2),
        "it looks for the mark, and leaves it"
    );
}
