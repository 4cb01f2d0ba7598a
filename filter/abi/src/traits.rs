//! Callbacks of the proxy: one trait for each kind of context.

use crate::types::Action;

/// Callbacks for every context.
pub trait Context {
    /// Takes the answer to an HTTP call that this context has made.
    fn on_http_call_response(
        &mut self,
        _token: u32,
        _headers: usize,
        _body_bytes: usize,
        _trailers: usize,
    ) {
    }

    /// Returns true if the context may end. A context that returns false calls [`done`](crate::hostcalls::done) when it has
    /// finished.
    fn on_done(&mut self) -> bool {
        true
    }
}

/// Callbacks for the context of one configuration in one VM.
pub trait RootContext: Context {
    /// Returns true if the configuration is accepted.
    fn on_configure(&mut self, bytes: usize) -> bool;

    /// Runs periodic work, once each [tick period](crate::hostcalls::set_tick_period).
    fn on_tick(&mut self);

    /// Makes the context of a stream.
    fn create_http_context(&self, id: u32) -> Option<Box<dyn HttpContext>>;
}

/// Callbacks for the context of one stream.
pub trait HttpContext: Context {
    /// Decides on the request's headers, which have all arrived.
    fn on_http_request_headers(&mut self, headers: usize, is_end: bool) -> Action;

    /// Decides on the response's headers, which have all arrived.
    fn on_http_response_headers(&mut self, headers: usize, is_end: bool) -> Action;

    /// Decides on a part of the response's body.
    fn on_http_response_body(&mut self, bytes: usize, is_end: bool) -> Action;

    /// Decides on the response's trailers.
    fn on_http_response_trailers(&mut self, trailers: usize) -> Action;

    /// Finishes the stream in the proxy's access log phase, when all attributes of the stream are known.
    fn on_log(&mut self);
}
