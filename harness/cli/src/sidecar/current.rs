//! The VMs that take new streams, which a reload replaces.

use std::sync::{Arc, PoisonError, RwLock};

use sidespan_host::{ChainStreamId, StreamProperties};
use tokio::sync::watch;

use super::vm::{Signs, Vm};

/// A handle on the VMs of the present configuration.
#[derive(Clone, Debug)]
pub(super) struct Current(Arc<RwLock<Vm>>);

impl Current {
    pub(super) fn new(vm: Vm) -> Self {
        Self(Arc::new(RwLock::new(vm)))
    }

    /// Returns the present VMs.
    pub(super) fn get(&self) -> Vm {
        // A handle is replaced whole, so a panic cannot leave half of one behind.
        self.0
            .read()
            .unwrap_or_else(PoisonError::into_inner)
            .clone()
    }

    /// Lets other VMs take new streams. Those of before end with their last stream.
    pub(super) fn replace(&self, vm: Vm) {
        let mut current = self.0.write().unwrap_or_else(PoisonError::into_inner);
        std::mem::replace(&mut *current, vm).retire();
    }

    /// Opens a stream in the present VMs; `None` when they have ended for good.
    pub(super) async fn open(
        &self,
        properties: &StreamProperties,
    ) -> Option<(Vm, ChainStreamId, watch::Receiver<Signs>)> {
        // VMs that end between these two lines were replaced before, so that the next try finds others.
        for _ in 0..TRIES {
            let vm = self.get();
            let properties = properties.clone();
            if let Ok(Some((id, signs))) = vm.run(move |worker| worker.open(&properties)).await {
                return Some((vm, id, signs));
            }
        }
        None
    }
}

/// Number of reloads in a row that one stream may meet.
const TRIES: u32 = 8;
