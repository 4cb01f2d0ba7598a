//! Handles of metrics over several configurations in one VM; Envoy keeps a handle as long as the VM lives.

use std::time::Duration;

use sidespan_core::stats::{Counter, Gauge};
use sidespan_host::{Action, EndOfStream, Ending, Headers, StreamProperties};
use sidespan_tests::worlds::Guest;

/// Reconfigures one VM, because Envoy keeps every handle as long as the VM lives, so that a configuration must not define
/// its own.
#[test]
fn a_configuration_defines_no_number_that_the_machine_has() {
    let configuration = |name: &str| format!(r#"{{"spans": {{"serviceName": "{name}"}}}}"#);
    let mut guest = Guest::start(&configuration("first"));
    let defined = |guest: &Guest| guest.host.transcript().count("proxy_define_metric");
    let first = defined(&guest);
    let numbers = Counter::ALL.len() + Gauge::ALL.len();
    assert_eq!(usize::try_from(first), Ok(numbers));
    for number in 0..3 {
        let next = configuration(&format!("next-{number}"));
        guest.host.reconfigure(next).expect("a good one");
        guest.host.advance(Duration::from_secs(1));
    }
    assert_eq!(defined(&guest), first);
    assert!(guest.host.shared().counter("sidespan.worker.ticks") >= Some(3));
}

/// Holds the gauge over a configuration that runs on: whoever looks at statistics alone must see that the newest one is
/// not what runs, and must not be told so for ever.
#[test]
fn a_refused_configuration_shows_beside_the_one_that_runs_on() {
    let good = |percentage: u8| format!(r#"{{"sampling": {{"percentage": {percentage}}}}}"#);
    let mut guest = Guest::start(&good(1));
    let refused = |guest: &Guest| guest.host.shared().gauge("sidespan.config.refused");
    assert_eq!(refused(&guest), Some(0));

    assert!(guest.host.reconfigure(good(101)).is_err());
    assert_eq!(refused(&guest), Some(1));
    guest.host.advance(Duration::from_secs(60));
    assert_eq!(refused(&guest), Some(1), "nothing has changed since");
    guest.host.reconfigure(good(2)).expect("a good one");
    assert_eq!(refused(&guest), Some(0));

    // Going back to what runs is no change for the proxy, which then calls nobody.
    assert!(guest.host.reconfigure(good(102)).is_err());
    guest.host.advance(Duration::from_secs(30 * 60));
    assert!(guest.host.reconfigure(good(102)).is_err(), "refused anew");
    guest.host.advance(Duration::from_secs(59 * 60));
    assert_eq!(refused(&guest), Some(1));
    guest.host.advance(Duration::from_secs(2 * 60));
    assert_eq!(refused(&guest), Some(0));
}

/// Steps the clock within a tick: nobody has written a note since, and a broken configuration must not pass for the first one.
#[test]
fn a_clock_that_is_set_back_hides_no_good_configuration() {
    let good = r#"{"sampling": {"percentage": 1}}"#;
    let mut guest = Guest::start(good);
    for by in [1, 60, 3_600] {
        guest.host.step_clock_back(Duration::from_secs(by));
        assert!(guest.host.reconfigure("{").is_err(), "{by} s");
    }
}

/// Lets a stream of the older configuration go on, which then ticks beside the newer one, and ends it in between two ticks.
#[test]
fn the_end_of_the_older_configuration_leaves_the_newer_one_in_force() {
    let good = |percentage: u8| format!(r#"{{"sampling": {{"percentage": {percentage}}}}}"#);
    // Whichever of them was the last to renew what both of them hold.
    for milliseconds in (1..=20).map(|number| number * 510) {
        let mut guest = Guest::start(&good(1));
        let properties = StreamProperties::new().listener_direction(1);
        let stream = guest.host.open_stream(properties);
        let headers = Headers::from([(":method", "GET"), (":path", "/"), (":authority", "a")]);
        let action = guest
            .host
            .request_headers(stream, headers, EndOfStream::Yes);
        assert_eq!(action, Action::Continue);
        guest.host.reconfigure(good(2)).expect("a good one");
        guest.host.advance(Duration::from_millis(milliseconds));
        guest.host.end(stream, Ending::ClientAbort);
        let broken = guest.host.reconfigure(good(101));
        assert!(broken.is_err(), "after {milliseconds} ms");
    }
}
