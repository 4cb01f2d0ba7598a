//! One request: its headers are treated when they arrive, its spans end when the proxy logs it.
//!
//! The access log phase comes exactly once for every way in which a stream can end: a response, a local reply, a reset,
//! a client that goes away. An upstream filter, one try of a request, has no such phase: it ends in `on_done`, when the
//! response can no longer be read, and listens to it before.

use std::cell::RefCell;
use std::rc::Rc;

use sidespan_abi::traits::{Context, HttpContext};
use sidespan_abi::types::Action;
use sidespan_core::tracer::keep::response_header::ResponsePart;

use crate::instance::Instance;
use crate::shared_data::request_ids;
use crate::stream_state::StreamState;

pub(crate) struct Stream {
    shared: Rc<RefCell<Instance>>,
    begun: StreamState,
}

impl Stream {
    #[inline]
    pub(crate) fn new(shared: Rc<RefCell<Instance>>) -> Self {
        Self {
            shared,
            begun: StreamState::default(),
        }
    }

    #[inline]
    fn hear(&mut self, part: ResponsePart) {
        if self.begun.listens()
            && let Ok(mut shared) = self.shared.try_borrow_mut()
        {
            shared.hear(&mut self.begun, part);
        }
    }

    #[inline]
    fn hear_end(&mut self, is_end: bool) {
        if is_end {
            self.begun.hear_end();
        }
    }

    #[inline]
    fn finish(&mut self) {
        let StreamState { spans, note, .. } = core::mem::take(&mut self.begun);
        if let (Some(spans), Ok(mut shared)) = (spans, self.shared.try_borrow_mut()) {
            shared.finish(spans);
        }
        if let Some(note) = note {
            request_ids::take_back(&note);
        }
    }
}

impl Context for Stream {
    #[inline]
    fn on_done(&mut self) -> bool {
        self.finish();
        true
    }
}

impl HttpContext for Stream {
    #[inline]
    fn on_http_request_headers(&mut self, _: usize, _: bool) -> Action {
        if let Ok(mut shared) = self.shared.try_borrow_mut() {
            shared.begin(&mut self.begun);
        }
        Action::Continue
    }

    #[inline]
    fn on_http_response_headers(&mut self, _: usize, is_end: bool) -> Action {
        self.hear(ResponsePart::Headers);
        self.hear_end(is_end);
        Action::Continue
    }

    #[inline]
    fn on_http_response_body(&mut self, _: usize, is_end: bool) -> Action {
        self.hear_end(is_end);
        Action::Continue
    }

    #[inline]
    fn on_http_response_trailers(&mut self, _: usize) -> Action {
        self.hear(ResponsePart::Trailers);
        self.hear_end(true);
        Action::Continue
    }

    #[inline]
    fn on_log(&mut self) {
        self.finish();
    }
}
