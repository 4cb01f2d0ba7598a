//! The contexts of this VM, by the ids that the proxy has given them.
//!
//! A nested callback finds the contexts of its kind borrowed and is answered like a callback for an unknown context, so no
//! order of callbacks can end the VM.

use std::cell::{Cell, RefCell};

use crate::context_table::ContextTable;
use crate::traits::{HttpContext, RootContext};

/// A function that makes the root context of this id.
pub type NewRootContext = fn(u32) -> Box<dyn RootContext>;

thread_local! {
    static CONTEXTS: Contexts = const { Contexts::new() };
}

/// The contexts of one VM, and the HTTP calls that have no answer yet.
pub(crate) struct Contexts {
    new_root: Cell<Option<NewRootContext>>,
    // One root context for each configuration in this VM: few enough for a linear search.
    roots: RefCell<Vec<(u32, Box<dyn RootContext>)>>,
    streams: RefCell<ContextTable<Box<dyn HttpContext>>>,
    // The context whose callback is under way.
    active: Cell<u32>,
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
            calls: RefCell::new(Vec::new()),
        }
    }

    /// Runs `act` on this thread's contexts; returns `otherwise` while the thread shuts down.
    #[inline]
    pub(crate) fn with<T>(otherwise: T, act: impl FnOnce(&Self) -> T) -> T {
        CONTEXTS.try_with(act).unwrap_or(otherwise)
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

    /// Runs `ask` on a root context; returns `otherwise` where there is no such root context.
    pub(crate) fn root<T>(id: u32, otherwise: T, ask: impl FnOnce(&mut dyn RootContext) -> T) -> T {
        Self::with(None, |contexts| {
            let mut roots = contexts.roots.try_borrow_mut().ok()?;
            let (_, root) = roots.iter_mut().find(|(other, _)| *other == id)?;
            contexts.active.set(id);
            Some(ask(&mut **root))
        })
        .unwrap_or(otherwise)
    }

    /// Makes a stream context below the root context `root`, or a root context where `root` is 0.
    pub(crate) fn create(&self, id: u32, root: u32) -> Option<()> {
        if root == 0 {
            let new = self.new_root.get()?(id);
            self.roots.try_borrow_mut().ok()?.push((id, new));
        } else {
            let new = {
                let roots = self.roots.try_borrow().ok()?;
                let (_, root) = roots.iter().find(|(other, _)| *other == root)?;
                root.create_http_context(id)?
            };
            self.streams.try_borrow_mut().ok()?.insert(id, new);
        }
        Some(())
    }

    /// Drops a context.
    pub(crate) fn delete(&self, id: u32) -> Option<()> {
        let stream = self.streams.try_borrow_mut().ok()?.remove(id);
        if stream.is_none() {
            let mut roots = self.roots.try_borrow_mut().ok()?;
            roots.retain(|(other, _)| *other != id);
        }
        Some(())
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
