//! The contexts of this VM, by the ids that the proxy has given them.
//!
//! A callback that comes while another of its kind is under way finds its contexts taken, and passes them by.

use std::cell::{Cell, RefCell};

use crate::context_table::ContextTable;
use crate::traits::{HttpContext, RootContext};
use crate::types::NewRootContext;

thread_local! {
    static CONTEXTS: Contexts = const { Contexts::new() };
}

/// All of them, and the calls that wait for their answers.
pub(crate) struct Contexts {
    new_root: Cell<Option<NewRootContext>>,
    // A handful: one for each configuration in this VM.
    roots: RefCell<Vec<(u32, Box<dyn RootContext>)>>,
    streams: RefCell<ContextTable<Box<dyn HttpContext>>>,
    // Whose callback is under way.
    active: Cell<u32>,
    // Tokens, and the contexts that made the calls.
    calls: RefCell<Vec<(u32, u32)>>,
}

/// Says how root contexts are made.
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

    /// What is done with them.
    #[inline]
    pub(crate) fn with<T>(otherwise: T, act: impl FnOnce(&Self) -> T) -> T {
        CONTEXTS.try_with(act).unwrap_or(otherwise)
    }

    /// A stream's answer, or the other one where there is no such stream.
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

    /// A root's answer, or the other one where there is no such root.
    pub(crate) fn root<T>(id: u32, otherwise: T, ask: impl FnOnce(&mut dyn RootContext) -> T) -> T {
        Self::with(None, |contexts| {
            let mut roots = contexts.roots.try_borrow_mut().ok()?;
            let (_, root) = roots.iter_mut().find(|(other, _)| *other == id)?;
            contexts.active.set(id);
            Some(ask(&mut **root))
        })
        .unwrap_or(otherwise)
    }

    /// A context begins: a root's where it has no root of its own.
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

    /// A context is gone.
    pub(crate) fn delete(&self, id: u32) -> Option<()> {
        let stream = self.streams.try_borrow_mut().ok()?.remove(id);
        if stream.is_none() {
            let mut roots = self.roots.try_borrow_mut().ok()?;
            roots.retain(|(other, _)| *other != id);
        }
        Some(())
    }

    /// The context whose callback is under way has made a call.
    pub(crate) fn called(&self, token: u32) {
        if let Ok(mut calls) = self.calls.try_borrow_mut() {
            calls.push((token, self.active.get()));
        }
    }

    /// Who has made the call that is answered. Nobody waits for it any more.
    pub(crate) fn answered(&self, token: u32) -> Option<u32> {
        let mut calls = self.calls.try_borrow_mut().ok()?;
        let place = calls.iter().position(|(other, _)| *other == token)?;
        Some(calls.swap_remove(place).1)
    }
}
