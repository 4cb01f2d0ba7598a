//! Callbacks of the proxy: one trait for each kind of context.

use crate::types::Action;

/// Callbacks for the context of one configuration in one VM.
pub trait RootContext {
    /// Returns true if the configuration is accepted.
    fn on_configure(&mut self, bytes: usize) -> bool;

    /// Runs periodic work, once each [tick period](crate::hostcalls::set_tick_period).
    fn on_tick(&mut self);

    /// Takes the answer to an HTTP call that this context has made.
    fn on_http_call_response(
        &mut self,
        token: u32,
        headers: usize,
        body_bytes: usize,
        trailers: usize,
    );

    /// Returns true if the context may end. A context that returns false calls [`done`](crate::hostcalls::done) when it has
    /// finished.
    fn on_done(&mut self) -> bool;

    /// Decides on the headers of a new stream's request, which have all arrived. Returns the stream's context; `None` where
    /// neither the response nor the end of the stream makes a difference.
    fn on_http_request_headers(&self) -> Option<Box<dyn HttpContext>>;
}

/// Callbacks for the context of one stream, behind its request's headers.
pub trait HttpContext {
    /// Decides on the response's headers, which have all arrived.
    fn on_http_response_headers(&mut self, headers: usize, is_end: bool) -> Action;

    /// Decides on a part of the response's body.
    fn on_http_response_body(&mut self, bytes: usize, is_end: bool) -> Action;

    /// Decides on the response's trailers.
    fn on_http_response_trailers(&mut self, trailers: usize) -> Action;

    /// Finishes the stream: in the proxy's access log phase, when all attributes of the stream are known, or, where there is
    /// no such phase, when the proxy drops the stream.
    fn on_end(&mut self);
}
