//! A filter in Rust on the SDK. It greets each request, counts it, and answers /denied by itself.

use proxy_wasm::hostcalls;
use proxy_wasm::traits::{Context, HttpContext, RootContext};
use proxy_wasm::types::{Action, ContextType, LogLevel, MetricType};

proxy_wasm::main! {{
    proxy_wasm::set_log_level(LogLevel::Info);
    proxy_wasm::set_root_context(|_| Box::new(Root { greeted: 0 }));
}}

struct Root {
    greeted: u32,
}

impl Context for Root {}

impl RootContext for Root {
    fn on_configure(&mut self, _: usize) -> bool {
        let _ = hostcalls::log(LogLevel::Info, "configured");
        hostcalls::define_metric(MetricType::Counter, "greeted").map(|id| self.greeted = id).is_ok()
    }

    fn get_type(&self) -> Option<ContextType> {
        Some(ContextType::HttpContext)
    }

    fn create_http_context(&self, _: u32) -> Option<Box<dyn HttpContext>> {
        Some(Box::new(Greeter { greeted: self.greeted }))
    }
}

struct Greeter {
    greeted: u32,
}

impl Context for Greeter {}

impl HttpContext for Greeter {
    fn on_http_request_headers(&mut self, _: usize, _: bool) -> Action {
        let path = self.get_http_request_header(":path").unwrap_or_default();
        let _ = hostcalls::log(LogLevel::Info, &path);
        if path == "/denied" {
            let _ = hostcalls::send_http_response(403, vec![], Some(b"not here"));
            return Action::Pause;
        }
        self.add_http_request_header("x-greeting", "hello");
        let _ = hostcalls::increment_metric(self.greeted, 1);
        Action::Continue
    }

    fn on_http_response_headers(&mut self, _: usize, _: bool) -> Action {
        self.add_http_response_header("x-greeted", "yes");
        Action::Continue
    }

    fn on_log(&mut self) {
        let _ = hostcalls::log(LogLevel::Info, "logged");
    }
}
