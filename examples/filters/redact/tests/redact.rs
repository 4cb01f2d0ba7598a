//! `cargo test -p example-redact`

use sidespan_host::{Action, EndOfStream, Ending, Headers, Host, Module, StreamProperties};

/// Sends a response through the filter in these pieces, and returns what the client gets of it.
fn sent(pieces: &[&str]) -> String {
    let module = Module::of_package(env!("CARGO_MANIFEST_DIR")).unwrap();
    let mut host = Host::builder(&module).start().unwrap();
    let stream = host.open_stream(StreamProperties::new());
    let request = [
        (":method", "GET"),
        (":path", "/cards"),
        (":authority", "bank"),
    ];
    assert_eq!(
        host.request_headers(stream, request, EndOfStream::Yes),
        Action::Continue
    );
    let response = Headers::from([(":status", "200"), ("content-type", "application/json")]);
    assert_eq!(
        host.response_headers(stream, response, EndOfStream::No),
        Action::Continue
    );
    for piece in pieces {
        assert_eq!(
            host.response_body(stream, piece.as_bytes(), EndOfStream::No),
            Action::Pause
        );
    }
    assert_eq!(
        host.response_body(stream, b"", EndOfStream::Yes),
        Action::Continue
    );
    let body = host.take_response_body(stream);
    host.end(stream, Ending::Complete).unwrap();
    String::from_utf8(body).unwrap()
}

#[test]
fn leaves_the_last_four_digits_of_a_card() {
    let card = r#"{"card":"4111111111111111","year":2031}"#;
    assert_eq!(sent(&[card]), r#"{"card":"xxxxxxxxxxxx1111","year":2031}"#);
}

#[test]
fn sees_a_number_that_comes_in_two_pieces() {
    assert_eq!(
        sent(&["card 41111111", "11111111."]),
        "card xxxxxxxxxxxx1111."
    );
}

#[test]
fn leaves_all_other_bodies_as_they_are() {
    assert_eq!(sent(&["order 12345, total 100"]), "order 12345, total 100");
    assert_eq!(sent(&[]), "");
}
