//! The contexts of this VM, by the ids that the proxy has given them.
//!
//! A root context begins when it is started. A stream begins with its request's headers and ends with `proxy_on_done`; it has
//! a context only where its request leaves anything to do. Callbacks for its beginning (`proxy_on_context_create`) and its
//! end (`proxy_on_log`, `proxy_on_delete`) would be entries into the module with every request, which the proxy spares where
//! they are not exported. A stream whose request's headers never came is unknown here, and each of its callbacks passes.
//!
//! A nested callback finds the contexts of its kind borrowed and is answered like a callback for an unknown context, so no
//! order of callbacks can end the VM.

use std::cell::{Cell, RefCell};
use std::mem::ManuallyDrop;

use crate::context_table::ContextTable;
use crate::owner::{self, Ask, Note};
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
    roots: RefCell<Vec<(Note, Box<dyn RootContext>)>>,
    streams: RefCell<ContextTable<Box<dyn HttpContext>>>,
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

    /// Runs `act` on a stream's context, where there is such a stream.
    #[inline]
    pub(crate) fn stream(id: u32, act: impl FnOnce(&mut dyn HttpContext)) {
        Self::with(None, |contexts| {
            let mut streams = contexts.streams.try_borrow_mut().ok()?;
            let stream = streams.get_mut(id)?;
            contexts.active.set(id);
            act(&mut **stream);
            Some(())
        });
    }

    /// Runs `ask` on a root context, and drops one that has ended meanwhile; returns `otherwise` where there is no such root
    /// context.
    pub(crate) fn root<T>(id: u32, otherwise: T, ask: impl FnOnce(&mut dyn RootContext) -> T) -> T {
        Self::with(None, |contexts| {
            let mut roots = contexts.roots.try_borrow_mut().ok()?;
            let place = roots.iter().position(|(note, _)| note.id == id)?;
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

    /// Asks a root context whether it may end, and drops one that may; true where there is no such root context.
    pub(crate) fn end_root(id: u32) -> bool {
        let may_end = Self::root(id, true, |root| {
            let may_end = root.on_done();
            if may_end {
                Self::ended();
            }
            may_end
        });
        if !may_end {
            Self::with((), |contexts| {
                contexts.note(id, |note| note.is_ending = true)
            });
        }
        may_end
    }

    /// Notes that the root context whose callback is under way has ended.
    pub(crate) fn ended() {
        Self::with((), |contexts| contexts.has_ended.set(true));
    }

    /// Makes a root context, unless it is there.
    pub(crate) fn create_root(&self, id: u32) -> Option<()> {
        let mut roots = self.roots.try_borrow_mut().ok()?;
        if roots.iter().all(|(note, _)| note.id != id) {
            let new = self.new_root.get()?(id);
            let note = Note {
                id,
                ..Note::default()
            };
            roots.push((note, new));
        }
        Some(())
    }

    /// Changes what is noted of a root context.
    pub(crate) fn note(&self, id: u32, change: impl FnOnce(&mut Note)) {
        if let Ok(mut roots) = self.roots.try_borrow_mut()
            && let Some((note, _)) = roots.iter_mut().find(|(note, _)| note.id == id)
        {
            change(note);
        }
    }

    /// Returns true where there is one root context at most.
    pub(crate) fn is_alone(&self) -> bool {
        let roots = self.roots.try_borrow();
        roots.is_ok_and(|roots| roots.len() < 2)
    }

    /// Hands the request's headers of a new stream to its root context, and keeps the context that comes of it.
    #[inline]
    pub(crate) fn begin(&self, id: u32, proxy: &impl Ask) -> Option<()> {
        let stream = {
            let roots = self.roots.try_borrow().ok()?;
            let (_, root) = match &roots[..] {
                [only] => only,
                several => {
                    let owner = owner::owner(several.iter().map(|(note, _)| note), proxy)?;
                    several.iter().find(|(note, _)| note.id == owner)?
                }
            };
            self.active.set(id);
            root.on_http_request_headers()?
        };
        self.streams.try_borrow_mut().ok()?.insert(id, stream);
        Some(())
    }

    /// Takes a stream's context out, because the stream has ended.
    #[inline]
    pub(crate) fn end(&self, id: u32) -> Option<Box<dyn HttpContext>> {
        let stream = self.streams.try_borrow_mut().ok()?.remove(id)?;
        self.active.set(id);
        Some(stream)
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
        fn on_http_response_headers(&mut self, _: bool) {}
        fn on_http_response_trailers(&mut self) {}
        fn on_end(&mut self) {}
    }

    /// A proxy whose streams are all of one root context.
    struct Proxy(u32);

    impl Ask for Proxy {
        fn marked(&self, _: [u8; 4]) -> Option<u32> {
            Some(self.0)
        }
        fn plugin_name(&self) -> Option<Vec<u8>> {
            None
        }
    }

    fn with_roots(ids: &[u32]) -> Contexts {
        let contexts = Contexts::new();
        contexts.new_root.set(Some(|_| Box::new(Root)));
        for id in ids {
            contexts.create_root(*id);
            // A proxy starts a root context once more for another listener.
            contexts.create_root(*id);
        }
        assert_eq!(contexts.roots.borrow().len(), ids.len());
        contexts
    }

    #[test]
    fn a_stream_begins_with_its_requests_headers_and_ends_once() {
        let contexts = with_roots(&[1]);
        assert!(contexts.is_alone());
        for id in [4, 2, 5, 3] {
            assert!(contexts.begin(id, &Proxy(1)).is_some(), "{id}");
        }
        for id in 2..6 {
            assert!(contexts.end(id).is_some(), "{id}");
            assert!(contexts.end(id).is_none(), "{id} ends once");
        }
    }

    #[test]
    fn a_stream_without_headers_or_without_a_root_leaves_nothing_behind() {
        let contexts = with_roots(&[1, 7]);
        assert!(!contexts.is_alone());
        assert!(contexts.end(2).is_none());
        assert!(contexts.begin(3, &Proxy(1)).is_some());
        contexts.note(1, |note| note.is_ending = true);
        contexts.note(7, |note| note.is_ending = true);
        assert!(contexts.begin(4, &Proxy(1)).is_none(), "nobody takes it");
        assert!(contexts.end(3).is_some() && contexts.end(4).is_none());
        assert!(with_roots(&[]).begin(2, &Proxy(1)).is_none());
    }

    #[test]
    fn a_root_that_has_ended_is_dropped_behind_its_callback() {
        set_root_context(|_| Box::new(Root));
        Contexts::with(None, |contexts| contexts.create_root(9));
        assert!(Contexts::root(9, false, |_| true));
        assert!(Contexts::root(9, false, |_| {
            Contexts::ended();
            true
        }));
        assert!(!Contexts::root(9, false, |_| true));
    }
}
