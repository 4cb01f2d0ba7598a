//! The stream context: callbacks of one request, handed to the filter of the core.
//!
//! `proxy_on_done` comes exactly once for every way in which a stream can end: a response, a local reply, a reset, a client
//! that goes away, the end of a try. The proxy's attributes are final then. Headers can be read no more, so the filter reads
//! them as they pass.

use std::cell::RefCell;
use std::rc::Rc;

use sidespan_abi::traits::HttpContext;
use sidespan_core::filter::StreamState;

use crate::instance::Instance;
use crate::worker::Worker;

pub(crate) struct Stream {
    instance: Rc<RefCell<Instance>>,
    state: StreamState,
}

impl Stream {
    /// Treats the headers of the current stream's request; `None` where they leave nothing to do.
    #[inline]
    pub(crate) fn begin(instance: &Rc<RefCell<Instance>>) -> Option<Box<Self>> {
        let mut state = StreamState::default();
        instance
            .try_borrow_mut()
            .ok()?
            .worker()?
            .on_request_headers(&mut state);
        if !state.is_open() && !state.listens() {
            return None;
        }
        let instance = Rc::clone(instance);
        Some(Box::new(Self { instance, state }))
    }

    /// Hands a callback to the filter.
    #[inline]
    fn call(&mut self, callback: impl FnOnce(&mut Worker, &mut StreamState)) {
        if let Ok(mut instance) = self.instance.try_borrow_mut()
            && let Some(worker) = instance.worker()
        {
            callback(worker, &mut self.state);
        }
    }
}

impl HttpContext for Stream {
    #[inline]
    fn on_http_response_headers(&mut self, is_end: bool) {
        if self.state.listens() {
            self.call(|worker, state| worker.on_response_headers(state, is_end));
        }
    }

    #[inline]
    fn on_http_response_trailers(&mut self) {
        if self.state.listens() {
            self.call(Worker::on_response_trailers);
        }
    }

    #[inline]
    fn on_end(&mut self) {
        if self.state.is_open()
            && let Ok(mut instance) = self.instance.try_borrow_mut()
        {
            instance.on_end(&mut self.state);
        }
    }
}
