//! The filter's log: no byte that a caller chooses is in it, at any level.

use std::time::Duration;

use sidespan_core::direction::Direction;
use sidespan_core::propagation::format::Format;
use sidespan_host::LogLevel;
use sidespan_tests::dialect;
use sidespan_tests::worlds::{Guest, Header};

const CONFIGURATION: &str = r#"{
    "sampling": {"percentage": 100},
    "correlation": {"requestId": true},
    "propagation": {"baggage": {"deny": ["x*"]}},
    "spans": {"attributes": [{"name": "tenant", "requestHeader": "x-tenant"}]},
    "export": {"otlp": {"cluster": "collector", "protocol": "http/protobuf"}}
}"#;

#[test]
fn no_byte_of_a_request_is_in_the_log() {
    let mut guest = Guest::start(CONFIGURATION);
    guest.host.set_log_level(LogLevel::Trace);
    guest.host.advance(Duration::from_secs(2));
    let _ = guest.host.take_logs();
    let formats = Format::ALL.into_iter().flat_map(dialect::headers).copied();
    let names: Vec<_> = formats
        .chain([":method", ":path", ":authority", "baggage", "user-agent"])
        .chain(["x-request-id", "x-forwarded-for", "forwarded", "x-tenant"])
        .collect();
    let long = "INJECTED".repeat(1_000);
    let values = [
        "INJECTED\u{1b}[2J",
        "INJECTED\r\n[critical][wasm] wasm log: INJECTED",
        "INJECTED\u{202e}",
        "INJECTED%0a-%1b",
        "00-INJECTED-INJECTED-01",
        "k=INJECTED,Root=INJECTED;Parent=INJECTED",
        long.as_str(),
    ];
    let bytes = values.iter().map(|value| value.as_bytes());
    let mut lines = Vec::new();
    for value in bytes.chain([&b"INJECTED\xff\x00\x9b"[..]]) {
        for name in &names {
            let request: [Header; 1] = [(*name, value.to_vec())];
            for direction in [Direction::Inbound, Direction::Outbound, Direction::Edge] {
                guest.request(direction, &request, 503);
            }
        }
        let all: Vec<Header> = names.iter().map(|name| (*name, value.to_vec())).collect();
        guest.request(Direction::Inbound, &all, 503);
        guest.host.advance(Duration::from_secs(2));
        guest.exported();
        lines.extend(guest.host.take_logs());
    }
    assert!(lines.len() > values.len() * names.len(), "a line a request");
    for line in lines {
        let is_plain = |byte: u8| byte == b' ' || byte.is_ascii_graphic();
        let text = line.text.as_str();
        assert!(!text.contains("INJECTED"), "{text:?}");
        assert!(text.bytes().all(is_plain) && text.len() < 500, "{text:?}");
    }
}
