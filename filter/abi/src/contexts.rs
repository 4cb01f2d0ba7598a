//! The contexts of this VM, by the ids that the proxy has given them.
//!
//! Of a new stream its id and its root are noted, and no more: the context is made with the request's headers, and only
//! where they leave anything to do. A context is dropped where its end is reported, because an own callback for that
//! (`proxy_on_delete`) would be an entry into the module with every request.
//!
//! A nested callback finds the contexts of its kind borrowed and is answered like a callback for an unknown context, so no
//! order of callbacks can end the VM.

use std::cell::{Cell, RefCell};
use std::mem::ManuallyDrop;

use crate::context_table::ContextTable;
use crate::traits::{HttpContext, RootContext};

/// A function that makes the root context of this id.
pub type NewRootContext = fn(u32) -> Box<dyn RootContext>;

thread_local! {
    // Never dropped: a VM ends with its memory, and a value to be dropped is looked after with each access.
    static CONTEXTS: ManuallyDrop<Contexts> = const { ManuallyDrop::new(Contexts::new()) };
}

/// The contexts of one VM, and the HTTP calls that have no answer yet.
pub(crate) struct Contexts {
    new_root: Cell<Option<NewRootContext>>,
    // One root context for each configuration in this VM: few enough for a linear search.
    roots: RefCell<Vec<(u32, Box<dyn RootContext>)>>,
    streams: RefCell<ContextTable<Box<dyn HttpContext>>>,
    // The stream that was announced last, and its root; zeros for none. Envoy hands over the stream's headers at once.
    announced: Cell<(u32, u32)>,
    // Streams that were announced before the last one, and have no headers yet: none with Envoy.
    waiting: RefCell<Vec<(u32, u32)>>,
    // The context whose callback is under way.
    active: Cell<u32>,
    // True once the root context whose callback is under way has ended itself.
    has_ended: Cell<bool>,
    // Tokens of HTTP calls, and the contexts that made them.
    calls: RefCell<Vec<(u32, u32)>>,
}

/// Sets the function that makes root contexts.
pub fn set_root_context(new: NewRootContext) {
    Contexts::with((), |contexts| contexts.new_root.set(Some(new)));
}

impl Contexts {
    const fn new() -> Self {
        Self {
            new_root: Cell::new(None),
            roots: RefCell::new(Vec::new()),
            streams: RefCell::new(ContextTable::new()),
            announced: Cell::new((0, 0)),
            waiting: RefCell::new(Vec::new()),
            active: Cell::new(0),
            has_ended: Cell::new(false),
            calls: RefCell::new(Vec::new()),
        }
    }

    /// Runs `act` on this thread's contexts; returns `otherwise` while the thread shuts down.
    #[inline]
    pub(crate) fn with<T>(otherwise: T, act: impl FnOnce(&Self) -> T) -> T {
        CONTEXTS
            .try_with(|contexts| act(contexts))
            .unwrap_or(otherwise)
    }

    /// Runs `ask` on a stream's context; returns `otherwise` where there is no such stream.
    #[inline]
    pub(crate) fn stream<T>(
        id: u32,
        otherwise: T,
        ask: impl FnOnce(&mut dyn HttpContext) -> T,
    ) -> T {
        Self::with(None, |contexts| {
            let mut streams = contexts.streams.try_borrow_mut().ok()?;
            let stream = streams.get_mut(id)?;
            contexts.active.set(id);
            Some(ask(&mut **stream))
        })
        .unwrap_or(otherwise)
    }

    /// Runs `ask` on a root context, and drops one that has ended meanwhile; returns `otherwise` where there is no such root
    /// context.
    pub(crate) fn root<T>(id: u32, otherwise: T, ask: impl FnOnce(&mut dyn RootContext) -> T) -> T {
        Self::with(None, |contexts| {
            let mut roots = contexts.roots.try_borrow_mut().ok()?;
            let place = roots.iter().position(|(other, _)| *other == id)?;
            let (_, root) = roots.get_mut(place)?;
            contexts.active.set(id);
            let answer = ask(&mut **root);
            if contexts.has_ended.take() {
                roots.remove(place);
            }
            Some(answer)
        })
        .unwrap_or(otherwise)
    }

    /// Notes that the root context whose callback is under way has ended.
    pub(crate) fn ended() {
        Self::with((), |contexts| contexts.has_ended.set(true));
    }

    /// Notes a new stream below the root context `root`, or makes a root context where `root` is 0.
    #[inline]
    pub(crate) fn create(&self, id: u32, root: u32) {
        if root == 0 {
            self.create_root(id);
        } else {
            let before = self.announced.replace((id, root));
            if before != (0, 0)
                && let Ok(mut waiting) = self.waiting.try_borrow_mut()
            {
                waiting.push(before);
            }
        }
    }

    /// Returns the root of an announced stream, and forgets the announcement.
    #[inline]
    fn root_of(&self, id: u32) -> Option<u32> {
        let (announced, root) = self.announced.get();
        if announced == id {
            self.announced.set((0, 0));
            return Some(root);
        }
        let mut waiting = self.waiting.try_borrow_mut().ok()?;
        if waiting.is_empty() {
            return None;
        }
        let place = waiting.iter().position(|(other, _)| *other == id)?;
        Some(waiting.swap_remove(place).1)
    }

    fn create_root(&self, id: u32) -> Option<()> {
        let new = self.new_root.get()?(id);
        self.roots.try_borrow_mut().ok()?.push((id, new));
        Some(())
    }

    /// Hands the request's headers of a new stream to its root context, and keeps the context that comes of it.
    #[inline]
    pub(crate) fn begin(&self, id: u32) -> Option<()> {
        let stream = {
            let root = self.root_of(id)?;
            let roots = self.roots.try_borrow().ok()?;
            let (_, root) = roots.iter().find(|(other, _)| *other == root)?;
            self.active.set(id);
            root.on_http_request_headers()?
        };
        self.streams.try_borrow_mut().ok()?.insert(id, stream);
        Some(())
    }

    /// Takes a stream's context out, because the stream has ended.
    #[inline]
    pub(crate) fn end(&self, id: u32) -> Option<Box<dyn HttpContext>> {
        // A stream may end before its headers have come.
        let _ = self.root_of(id);
        let stream = self.streams.try_borrow_mut().ok()?.remove(id);
        self.active.set(id);
        stream
    }

    /// Notes an HTTP call of the context whose callback is under way.
    pub(crate) fn called(&self, token: u32) {
        if let Ok(mut calls) = self.calls.try_borrow_mut() {
            calls.push((token, self.active.get()));
        }
    }

    /// Returns the context that has made an HTTP call, and forgets the call.
    pub(crate) fn answered(&self, token: u32) -> Option<u32> {
        let mut calls = self.calls.try_borrow_mut().ok()?;
        let place = calls.iter().position(|(other, _)| *other == token)?;
        Some(calls.swap_remove(place).1)
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::types::Action;

    struct Root;
    struct Stream;

    impl RootContext for Root {
        fn on_configure(&mut self, _: usize) -> bool {
            true
        }
        fn on_tick(&mut self) {}
        fn on_http_call_response(&mut self, _: u32, _: usize, _: usize, _: usize) {}
        fn on_done(&mut self) -> bool {
            true
        }
        fn on_http_request_headers(&self) -> Option<Box<dyn HttpContext>> {
            Some(Box::new(Stream))
        }
    }

    impl HttpContext for Stream {
        fn on_http_response_headers(&mut self, _: usize, _: bool) -> Action {
            Action::Continue
        }
        fn on_http_response_body(&mut self, _: usize, _: bool) -> Action {
            Action::Continue
        }
        fn on_http_response_trailers(&mut self, _: usize) -> Action {
            Action::Continue
        }
        fn on_end(&mut self) {}
    }

    fn with_root() -> Contexts {
        let contexts = Contexts::new();
        contexts.new_root.set(Some(|_| Box::new(Root)));
        contexts.create(1, 0);
        contexts
    }

    #[test]
    fn streams_find_their_root_in_whatever_order_their_headers_come() {
        let contexts = with_root();
        for id in 2..6 {
            contexts.create(id, 1);
        }
        for id in [4, 2, 5, 3] {
            assert!(contexts.begin(id).is_some(), "{id}");
            assert!(contexts.begin(id).is_none(), "{id} begins once");
        }
        for id in 2..6 {
            assert!(contexts.end(id).is_some(), "{id}");
            assert!(contexts.end(id).is_none(), "{id} ends once");
        }
    }

    #[test]
    fn a_stream_of_no_root_or_without_headers_leaves_nothing_behind() {
        let contexts = with_root();
        contexts.create(2, 7);
        assert!(contexts.begin(2).is_none());
        contexts.create(3, 1);
        contexts.create(4, 1);
        assert!(contexts.end(3).is_none() && contexts.end(4).is_none());
        assert!(contexts.begin(3).is_none() && contexts.begin(4).is_none());
        assert!(contexts.waiting.borrow().is_empty());
    }

    #[test]
    fn a_root_that_has_ended_is_dropped_behind_its_callback() {
        set_root_context(|_| Box::new(Root));
        Contexts::with((), |contexts| contexts.create(9, 0));
        assert!(Contexts::root(9, false, |_| true));
        assert!(Contexts::root(9, false, |_| {
            Contexts::ended();
            true
        }));
        assert!(!Contexts::root(9, false, |_| true));
    }
}
