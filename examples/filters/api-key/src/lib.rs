//! Asks the cluster `auth` whether the key of a request is good. A request without a key is answered 401, one with a bad key
//! 403, and one that `auth` does not decide on 503.

use std::time::Duration;

use proxy_wasm::traits::{Context, HttpContext};
use proxy_wasm::types::Action;

proxy_wasm::main! {{
    proxy_wasm::set_http_context(|_, _| Box::new(ApiKey));
}}

struct ApiKey;

impl Context for ApiKey {
    fn on_http_call_response(
        &mut self,
        _token: u32,
        _headers: usize,
        _body: usize,
        _trailers: usize,
    ) {
        match self.get_http_call_response_header(":status").as_deref() {
            Some("200") => {
                let user = self.get_http_call_response_header("x-user");
                self.set_http_request_header("x-user", user.as_deref());
                self.set_http_request_header("x-api-key", None);
                self.resume_http_request();
            }
            Some("403") => self.send_http_response(403, vec![], Some(b"this key is not good")),
            _ => self.send_http_response(
                503,
                vec![],
                Some(b"nobody can say whether this key is good"),
            ),
        }
    }
}

impl HttpContext for ApiKey {
    fn on_http_request_headers(&mut self, _headers: usize, _end_of_stream: bool) -> Action {
        let Some(key) = self.get_http_request_header("x-api-key") else {
            let challenge = vec![("www-authenticate", "ApiKey")];
            self.send_http_response(401, challenge, Some(b"send your key in x-api-key"));
            return Action::Pause;
        };
        let headers = vec![
            (":method", "GET"),
            (":path", "/check"),
            (":authority", "auth"),
            ("x-api-key", &key),
        ];
        let sent = self.dispatch_http_call("auth", headers, None, vec![], Duration::from_secs(1));
        if sent.is_err() {
            self.send_http_response(
                503,
                vec![],
                Some(b"nobody can say whether this key is good"),
            );
        }
        Action::Pause
    }
}
