//! Writes over the digits of card numbers in responses, all but the last four.

use proxy_wasm::traits::{Context, HttpContext};
use proxy_wasm::types::Action;

proxy_wasm::main! {{
    proxy_wasm::set_http_context(|_, _| Box::new(Redact));
}}

struct Redact;

impl Context for Redact {}

impl HttpContext for Redact {
    fn on_http_response_headers(&mut self, _headers: usize, _end_of_stream: bool) -> Action {
        let kind = self.get_http_response_header("content-type");
        if kind.is_some_and(|kind| kind.starts_with("application/json")) {
            self.set_http_response_header("x-redacted", Some("true"));
        }
        Action::Continue
    }

    fn on_http_response_body(&mut self, size: usize, end_of_stream: bool) -> Action {
        // A number can lie on both sides of a border between two pieces.
        if !end_of_stream {
            return Action::Pause;
        }
        if let Some(body) = self.get_http_response_body(0, size)
            && let Some(redacted) = redacted(&body)
        {
            self.set_http_response_body(0, size, &redacted);
        }
        Action::Continue
    }
}

/// Returns the body with x for the digits of numbers as long as a card's; `None` if there is none. It stays as long as it
/// was, so that `content-length` does.
fn redacted(body: &[u8]) -> Option<Vec<u8>> {
    let mut redacted = body.to_vec();
    let mut is_changed = false;
    for number in redacted.chunk_by_mut(|a, b| a.is_ascii_digit() && b.is_ascii_digit()) {
        if (13..=19).contains(&number.len()) {
            let hidden = number.len() - 4;
            number[..hidden].fill(b'x');
            is_changed = true;
        }
    }
    is_changed.then_some(redacted)
}
