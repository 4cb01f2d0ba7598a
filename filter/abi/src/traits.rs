//! Callbacks of the proxy: one trait for each kind of context.

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
    /// Reads the response's headers, which have all arrived.
    fn on_http_response_headers(&mut self, is_end: bool);

    /// Reads the response's trailers.
    fn on_http_response_trailers(&mut self);

    /// Finishes the stream when the proxy drops it: its attributes are final then, and no header can be read any more.
    fn on_end(&mut self);
}
