//! What contexts are asked.

use crate::types::Action;

/// What every context is asked.
pub trait Context {
    /// The answer to a call that this context has made.
    fn on_http_call_response(
        &mut self,
        _token: u32,
        _headers: usize,
        _body_bytes: usize,
        _trailers: usize,
    ) {
    }

    /// Whether the context may end; one that may not yet says later that it has.
    fn on_done(&mut self) -> bool {
        true
    }
}

/// What is asked for a configuration in one VM.
pub trait RootContext: Context {
    /// Whether the configuration is accepted.
    fn on_configure(&mut self, bytes: usize) -> bool;

    /// The time that was asked for has passed.
    fn on_tick(&mut self);

    /// Makes the context of a stream.
    fn create_http_context(&self, id: u32) -> Option<Box<dyn HttpContext>>;
}

/// What is asked for a stream.
pub trait HttpContext: Context {
    /// The request's headers are there.
    fn on_http_request_headers(&mut self, headers: usize, is_end: bool) -> Action;

    /// The response's headers are there.
    fn on_http_response_headers(&mut self, headers: usize, is_end: bool) -> Action;

    /// A part of the response's body is there.
    fn on_http_response_body(&mut self, bytes: usize, is_end: bool) -> Action;

    /// The response's trailers are there.
    fn on_http_response_trailers(&mut self, trailers: usize) -> Action;

    /// The stream has ended.
    fn on_log(&mut self);
}
