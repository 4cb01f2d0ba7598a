//! The compiled guest's reaction to a collector's answers, to the second: delays by either protocol and in every place,
//! invalid answers, and the lines in the log.

use std::time::Duration;

use sidespan_core::direction::Direction;
use sidespan_host::{Headers, HttpCall};
use sidespan_tests::accounts::assert_accounted;
use sidespan_tests::worlds::Guest;

const SECOND: Duration = Duration::from_secs(1);
/// `google.rpc.Status` with a RetryInfo of three seconds.
const THREE_SECONDS: &str =
    "CAgaMAoodHlwZS5nb29nbGVhcGlzLmNvbS9nb29nbGUucnBjLlJldHJ5SW5mbxIECgIIAw";

fn guest(protocol: &str) -> Guest {
    Guest::start(&format!(
        r#"{{
            "sampling": {{"percentage": 100}},
            "export": {{
                "otlp": {{
                    "cluster": "collector", "protocol": "{protocol}", "timeout": "1m",
                    "headers": {{"authorization": "Bearer s3cret-1"}}
                }},
                "retry": {{"initial": "1s", "max": "1s", "attempts": 3}}
            }}
        }}"#
    ))
}

/// Sends one span and returns the request that carries it.
fn call(guest: &mut Guest) -> HttpCall {
    guest.request(Direction::Inbound, &[], 200);
    guest.host.advance(SECOND);
    guest.host.calls().pop().expect("a request")
}

fn answer<'a>(
    guest: &mut Guest,
    call: &HttpCall,
    headers: impl IntoIterator<Item = (&'a str, &'a str)>,
    body: &[u8],
    trailers: impl IntoIterator<Item = (&'a str, &'a str)>,
) {
    let [headers, trailers]: [Headers; 2] = [
        headers.into_iter().collect(),
        trailers.into_iter().collect(),
    ];
    let answered = guest.host.reply(call.token, headers, body, trailers);
    answered.expect("a call under way");
}

/// Returns the seconds until the same request comes again, at most sixty.
fn comes_again_after(guest: &mut Guest, first: &HttpCall) -> Option<u64> {
    (1..=60).find(|_| {
        guest.host.advance(SECOND);
        guest
            .host
            .calls()
            .iter()
            .any(|again| again.body == first.body)
    })
}

fn count(guest: &Guest, name: &str) -> u64 {
    assert_accounted(guest.host.shared());
    guest.counters().get(name).copied().unwrap_or(0)
}

fn lines(guest: &mut Guest) -> Vec<String> {
    let logs = guest.host.take_logs().into_iter();
    logs.map(|line| line.text)
        .filter(|line| line.contains("export to"))
        .collect()
}

#[test]
fn rt_9_a_delay_is_found_in_trailers_and_in_headers() {
    let [details, status] = [
        ("grpc-status-details-bin", THREE_SECONDS),
        ("grpc-status", "8"),
    ];
    for in_trailers in [true, false] {
        let mut guest = guest("grpc");
        let first = call(&mut guest);
        let ok = (":status", "200");
        if in_trailers {
            answer(&mut guest, &first, [ok], b"", [status, details]);
        } else {
            answer(&mut guest, &first, [ok, status, details], b"", []);
        }
        assert_eq!(
            comes_again_after(&mut guest, &first),
            Some(3),
            "{in_trailers}"
        );
    }
}

#[test]
fn rt_6_a_date_is_waited_for() {
    let mut guest = guest("http/protobuf");
    // The guest's time begins with 2025, and a second has passed.
    let first = call(&mut guest);
    let date = "Wed, 01 Jan 2025 00:00:21 GMT";
    answer(
        &mut guest,
        &first,
        [(":status", "503"), ("retry-after", date)],
        b"",
        [],
    );
    assert_eq!(comes_again_after(&mut guest, &first), Some(20));
}

#[test]
fn rt_1_grpcs_status_wins_wherever_it_stands() {
    for (status, headers, trailers, exported) in [
        ("503", None, Some("0"), 1),
        ("503", Some("0"), None, 1),
        // The trailers come after the headers and override them.
        ("200", Some("0"), Some("3"), 0),
    ] {
        let mut guest = guest("grpc");
        let first = call(&mut guest);
        let named = |status| ("grpc-status", status);
        let headers = [(":status", status)].into_iter().chain(headers.map(named));
        answer(&mut guest, &first, headers, b"", trailers.map(named));
        guest.host.advance(SECOND);
        assert_eq!(count(&guest, "spans.exported"), exported, "{status}");
        assert_eq!(
            count(&guest, "spans.dropped_export"),
            1 - exported,
            "{status}"
        );
    }
}

#[test]
fn sz_2_an_answer_longer_than_any_is_none() {
    let mut guest = guest("http/protobuf");
    let first = call(&mut guest);
    answer(
        &mut guest,
        &first,
        [(":status", "200")],
        &vec![0; (4 << 20) + 1],
        [],
    );
    assert_eq!(comes_again_after(&mut guest, &first), None);
    assert_eq!(count(&guest, "spans.dropped_export"), 1);
    let said = lines(&mut guest);
    assert_eq!(said.len(), 1, "{said:#?}");
    assert!(said[0].contains("longer than 4 MiB"), "{said:#?}");
}

#[test]
fn rt_7_what_the_collector_says_is_in_the_log_without_the_key_that_it_repeats() {
    let mut guest = guest("http/protobuf");
    for _ in 0..3 {
        let refused = call(&mut guest);
        // Status {code: 16, message: …}
        let body = b"\x08\x10\x12\x1bno such key: s3cret-1\n\x1b[2JX";
        answer(&mut guest, &refused, [(":status", "401")], body, []);
    }
    let said = lines(&mut guest);
    let line = r"export to cluster collector fails: HTTP status 401; it says: no such key: …\u{a}\u{1b}[2JX";
    assert_eq!(said, [line]);
}

#[test]
fn a_collector_that_comes_and_goes_does_not_fill_the_log() {
    let mut guest = guest("http/protobuf");
    for _ in 0..300 {
        let request = call(&mut guest);
        answer(&mut guest, &request, [(":status", "500")], b"", []);
        let request = call(&mut guest);
        answer(&mut guest, &request, [(":status", "200")], b"", []);
    }
    let said = lines(&mut guest);
    println!(
        "ten minutes of every second request refused: {} lines",
        said.len()
    );
    // One line for the failure and one for its end in each minute.
    assert!((2..=22).contains(&said.len()), "{said:#?}");
    assert_eq!(count(&guest, "spans.dropped_export"), 300);
}
