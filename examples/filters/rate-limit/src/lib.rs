//! Lets so many requests through in so much time, counted over all workers of the proxy: the configuration is
//! `2 requests in 30 seconds`. The rest is answered 429.

use std::time::Duration;

use proxy_wasm::traits::{Context, HttpContext, RootContext};
use proxy_wasm::types::{Action, ContextType, Status};

proxy_wasm::main! {{
    proxy_wasm::set_root_context(|_| Box::new(RateLimit { requests: 0, seconds: 0 }));
}}

/// The number of requests that may still come in the present period, in shared data.
const LEFT: &str = "left";

struct RateLimit {
    requests: u64,
    seconds: u64,
}

impl Context for RateLimit {}

impl RootContext for RateLimit {
    fn on_configure(&mut self, _size: usize) -> bool {
        let configuration = self.get_plugin_configuration().unwrap_or_default();
        let text = String::from_utf8_lossy(&configuration);
        let mut numbers = text.split_whitespace().filter_map(|word| word.parse().ok());
        let (Some(requests), Some(seconds @ 1..)) = (numbers.next(), numbers.next()) else {
            return false;
        };
        (self.requests, self.seconds) = (requests, seconds);
        self.set_tick_period(Duration::from_secs(seconds));
        self.fill();
        true
    }

    fn on_tick(&mut self) {
        self.fill();
    }

    fn get_type(&self) -> Option<ContextType> {
        Some(ContextType::HttpContext)
    }

    fn create_http_context(&self, _id: u32) -> Option<Box<dyn HttpContext>> {
        Some(Box::new(Request {
            seconds: self.seconds,
        }))
    }
}

impl RateLimit {
    fn fill(&self) {
        // Without a number to compare with, nothing can stand against it.
        let _ = self.set_shared_data(LEFT, Some(&self.requests.to_le_bytes()), None);
    }
}

struct Request {
    seconds: u64,
}

impl Context for Request {}

impl HttpContext for Request {
    fn on_http_request_headers(&mut self, _headers: usize, _end_of_stream: bool) -> Action {
        if self.take_one() {
            return Action::Continue;
        }
        let seconds = self.seconds.to_string();
        self.send_http_response(
            429,
            vec![("retry-after", &seconds)],
            Some(b"too many requests"),
        );
        Action::Pause
    }
}

impl Request {
    /// Takes one request of those that are left; returns false if none is.
    fn take_one(&self) -> bool {
        loop {
            let (left, cas) = self.get_shared_data(LEFT);
            let left = left.and_then(|left| Some(u64::from_le_bytes(left.try_into().ok()?)));
            let Some(left) = left.unwrap_or_default().checked_sub(1) else {
                return false;
            };
            // Another worker may have taken one meanwhile.
            match self.set_shared_data(LEFT, Some(&left.to_le_bytes()), cas) {
                Err(Status::CasMismatch) => {}
                other => return other.is_ok(),
            }
        }
    }
}
