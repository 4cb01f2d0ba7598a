//! Handles of metrics over several configurations in one VM; Envoy keeps a handle as long as the VM lives.

use std::time::Duration;

use sidespan_core::stats::{Counter, Gauge};
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
