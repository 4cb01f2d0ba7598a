//! One request: its headers are treated when they arrive, its spans end when the proxy logs it.
//!
//! The access log phase comes exactly once for every way in which a stream can end: a response, a local reply, a reset,
//! a client that goes away. An upstream filter, one try of a request, has no such phase: it ends in `on_done`, when the
//! response can no longer be read, and listens to it before.

use std::cell::RefCell;
use std::rc::Rc;

use proxy_wasm::traits::{Context, HttpContext};
use proxy_wasm::types::Action;
use sidespan_core::tracer::Part;

use crate::correlation::{self, Note};
use crate::shared::Shared;
use crate::worker::Begun;

pub(crate) struct Stream {
    shared: Rc<RefCell<Shared>>,
    begun: Option<Begun>,
    noted: Option<Note>,
}

impl Stream {
    pub(crate) fn new(shared: Rc<RefCell<Shared>>) -> Self {
        Self {
            shared,
            begun: None,
            noted: None,
        }
    }

    fn hear(&mut self, part: Part) {
        if let (Some(begun), Ok(mut shared)) = (&mut self.begun, self.shared.try_borrow_mut()) {
            shared.hear(begun, part);
        }
    }

    fn hear_end(&mut self, is_end: bool) {
        match &mut self.begun {
            Some(Begun::Recorded(active)) if is_end => active.hear_end(),
            Some(Begun::Held(held)) if is_end => held.hear_end(),
            _ => {}
        }
    }

    fn finish(&mut self) {
        if let (Some(begun), Ok(mut shared)) = (self.begun.take(), self.shared.try_borrow_mut()) {
            shared.finish(begun);
        }
        if let Some(noted) = self.noted.take() {
            correlation::take_back(&noted);
        }
    }
}

impl Context for Stream {
    fn on_done(&mut self) -> bool {
        self.finish();
        true
    }
}

impl HttpContext for Stream {
    fn on_http_request_headers(&mut self, _: usize, _: bool) -> Action {
        if let Ok(mut shared) = self.shared.try_borrow_mut() {
            self.begun = shared.begin();
            self.noted = shared.take_noted();
        }
        Action::Continue
    }

    fn on_http_response_headers(&mut self, _: usize, is_end: bool) -> Action {
        self.hear(Part::Headers);
        self.hear_end(is_end);
        Action::Continue
    }

    fn on_http_response_body(&mut self, _: usize, is_end: bool) -> Action {
        self.hear_end(is_end);
        Action::Continue
    }

    fn on_http_response_trailers(&mut self, _: usize) -> Action {
        self.hear(Part::Trailers);
        self.hear_end(true);
        Action::Continue
    }

    fn on_log(&mut self) {
        self.finish();
    }
}
