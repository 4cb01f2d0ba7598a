//! The least that a tracing filter can do: a floor with which `sidespan bench --envoy` compares the filter.
//!
//! The configuration is a list of steps, one a line; without steps this filter does nothing.
//!
//! ```text
//! read                  the request's headers are read, once and as bytes
//! write NAME VALUE      one header is written to the request, as often as the line is there
//! respond               the calls that keeping needs with a response: its status, one header, two times, one read of shared data
//! ask EXPRESSION        when a request is logged: one question, in CEL, and the time, as spans need
//! ```
//!
//! This filter decides nothing, stores nothing and frees what it reads. Costs above this floor are those of a filter's own
//! work.

use std::rc::Rc;

use proxy_wasm::hostcalls;
use proxy_wasm::traits::{Context, HttpContext, RootContext};
use proxy_wasm::types::{Action, ContextType, MapType};

/// Steps at every request.
#[derive(Default)]
struct Steps {
    reads: bool,
    writes: Vec<(String, String)>,
    responds: bool,
    question: Option<String>,
}

impl Steps {
    fn parse(text: &str) -> Option<Self> {
        let mut steps = Self::default();
        for line in text.lines() {
            let mut words = line.splitn(3, ' ');
            match (words.next()?, words.next(), words.next()) {
                ("read", None, None) => steps.reads = true,
                ("write", Some(name), Some(value)) => {
                    steps.writes.push((name.to_owned(), value.to_owned()));
                }
                ("respond", None, None) => steps.responds = true,
                ("ask", Some(expression), None) => steps.question = Some(expression.to_owned()),
                _ => return None,
            }
        }
        Some(steps)
    }
}

#[derive(Default)]
struct Root {
    steps: Rc<Steps>,
    // The proxy's handle on the question.
    question: Option<Rc<[u8]>>,
}

impl Context for Root {}

impl RootContext for Root {
    fn on_configure(&mut self, _: usize) -> bool {
        let bytes = self.get_plugin_configuration().unwrap_or_default();
        let steps = std::str::from_utf8(&bytes).ok().and_then(Steps::parse);
        let is_understood = steps.is_some();
        self.steps = Rc::new(steps.unwrap_or_default());
        if let Some(expression) = &self.steps.question {
            let handle =
                hostcalls::call_foreign_function("expr_create", Some(expression.as_bytes()));
            self.question = handle.ok().flatten().map(Rc::from);
            return is_understood && self.question.is_some();
        }
        is_understood
    }

    fn create_http_context(&self, _: u32) -> Option<Box<dyn HttpContext>> {
        Some(Box::new(Stream {
            steps: Rc::clone(&self.steps),
            question: self.question.clone(),
        }))
    }

    fn get_type(&self) -> Option<ContextType> {
        Some(ContextType::HttpContext)
    }
}

struct Stream {
    steps: Rc<Steps>,
    question: Option<Rc<[u8]>>,
}

impl Context for Stream {}

impl HttpContext for Stream {
    fn on_http_request_headers(&mut self, _: usize, _: bool) -> Action {
        if self.steps.reads {
            let _ = std::hint::black_box(hostcalls::get_map_bytes(MapType::HttpRequestHeaders));
        }
        for (name, value) in &self.steps.writes {
            let _ = hostcalls::set_map_value_bytes(
                MapType::HttpRequestHeaders,
                name,
                Some(value.as_bytes()),
            );
        }
        if self.steps.responds {
            let _ = hostcalls::get_current_time();
        }
        Action::Continue
    }

    fn on_http_response_headers(&mut self, _: usize, _: bool) -> Action {
        if self.steps.responds {
            for name in [":status", "server-timing"] {
                let _ = hostcalls::get_map_value_bytes(MapType::HttpResponseHeaders, name);
            }
            let _ = hostcalls::get_current_time();
            let _ = hostcalls::get_shared_data("sidespan.floor");
        }
        Action::Continue
    }

    fn on_log(&mut self) {
        if let Some(question) = &self.question {
            let answers = hostcalls::call_foreign_function("expr_evaluate", Some(question));
            let _ = std::hint::black_box(answers);
            let _ = hostcalls::get_current_time();
        }
    }
}

/// The entry point, which the proxy calls first.
mod entry {
    proxy_wasm::main! {{
        proxy_wasm::set_root_context(|_| Box::new(crate::Root::default()));
    }}
}
