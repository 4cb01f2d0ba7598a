//! The queues that all VMs of one Envoy process share (`shared_queue.cc` in proxy-wasm's C++ host).
//!
//! Invariants: a token is never 0 and never given to two queues; the VM that has registered a queue last is the only one
//! that hears of its items.

use std::collections::{BTreeMap, VecDeque};

/// One VM among those that share a state.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub(crate) struct VmNumber(u32);

/// An item that a queue has got, for the VM that listens to the queue.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct QueueReady {
    /// The root context that has registered the queue.
    pub(crate) root: u32,
    pub(crate) token: u32,
}

/// The reasons for which nothing is taken out of a queue.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum NoItem {
    NoSuchQueue,
    Empty,
}

/// All queues by token.
#[derive(Debug, Default)]
pub(super) struct Queues {
    last_vm: u32,
    tokens: BTreeMap<(String, Vec<u8>), u32>,
    queues: BTreeMap<u32, Queue>,
    ready: VecDeque<(VmNumber, QueueReady)>,
}

#[derive(Debug)]
struct Queue {
    listener: VmNumber,
    root: u32,
    items: VecDeque<Vec<u8>>,
}

impl Queues {
    pub(super) fn next_vm(&mut self) -> VmNumber {
        self.last_vm += 1;
        VmNumber(self.last_vm)
    }

    /// Returns the token of a queue, and lets `listener` be told of its items from now on. Items that wait stay.
    pub(super) fn register(
        &mut self,
        vm_id: &str,
        name: Vec<u8>,
        listener: VmNumber,
        root: u32,
    ) -> u32 {
        let next = self
            .queues
            .last_key_value()
            .map_or(1, |(token, _)| token + 1);
        let token = *self.tokens.entry((vm_id.to_owned(), name)).or_insert(next);
        let queue = self.queues.entry(token).or_insert_with(|| Queue {
            listener,
            root,
            items: VecDeque::new(),
        });
        (queue.listener, queue.root) = (listener, root);
        token
    }

    pub(super) fn resolve(&self, vm_id: &str, name: &[u8]) -> Option<u32> {
        self.tokens.get(&(vm_id.to_owned(), name.to_vec())).copied()
    }

    /// Removes the queues of a `vm_id`, whose last VM has ended.
    pub(super) fn forget(&mut self, vm_id: &str) {
        let queues = &mut self.queues;
        self.tokens.retain(|(owner, _), token| {
            let stays = owner != vm_id;
            if !stays {
                queues.remove(token);
            }
            stays
        });
    }

    /// Appends an item; returns false if there is no such queue.
    pub(super) fn push(&mut self, token: u32, item: Vec<u8>) -> bool {
        let Some(queue) = self.queues.get_mut(&token) else {
            return false;
        };
        queue.items.push_back(item);
        let root = queue.root;
        self.ready
            .push_back((queue.listener, QueueReady { root, token }));
        true
    }

    pub(super) fn pop(&mut self, token: u32) -> Result<Vec<u8>, NoItem> {
        let queue = self.queues.get_mut(&token).ok_or(NoItem::NoSuchQueue)?;
        queue.items.pop_front().ok_or(NoItem::Empty)
    }

    /// Takes the oldest message for a VM.
    pub(super) fn take_ready(&mut self, listener: VmNumber) -> Option<QueueReady> {
        let at = self.ready.iter().position(|(vm, _)| *vm == listener)?;
        self.ready.remove(at).map(|(_, ready)| ready)
    }

    /// Returns the answer to the listener of the oldest message that `find` has one for.
    pub(super) fn find_listener<T>(&self, find: impl FnMut(VmNumber) -> Option<T>) -> Option<T> {
        self.ready.iter().map(|(vm, _)| *vm).find_map(find)
    }

    /// Returns the number of messages that wait for any VM.
    pub(super) fn untold(&self) -> usize {
        self.ready.len()
    }

    pub(super) fn has_ready(&self, listener: VmNumber) -> bool {
        self.ready.iter().any(|(vm, _)| *vm == listener)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn gives_one_token_a_name_and_vm_id_and_keeps_the_items() {
        let mut queues = Queues::default();
        let (one, two) = (queues.next_vm(), queues.next_vm());
        let token = queues.register("vm", b"q".to_vec(), one, 1);
        assert!(queues.push(token, b"first".to_vec()));
        assert_eq!(queues.register("vm", b"q".to_vec(), two, 7), token);
        assert_ne!(queues.register("other", b"q".to_vec(), one, 1), token);
        assert_eq!(queues.resolve("vm", b"q"), Some(token));
        assert_eq!(queues.resolve("vm", b"none"), None);
        assert_eq!(queues.pop(token), Ok(b"first".to_vec()));
        assert_eq!(queues.pop(token), Err(NoItem::Empty));
        assert_eq!(queues.pop(99), Err(NoItem::NoSuchQueue));
        assert!(!queues.push(99, Vec::new()));
    }

    #[test]
    fn tells_the_vm_that_has_registered_last_and_no_other() {
        let mut queues = Queues::default();
        let (one, two) = (queues.next_vm(), queues.next_vm());
        let token = queues.register("vm", b"q".to_vec(), one, 1);
        queues.register("vm", b"q".to_vec(), two, 7);
        queues.push(token, b"item".to_vec());
        assert_eq!(queues.take_ready(one), None);
        assert!(queues.has_ready(two));
        assert_eq!(queues.take_ready(two), Some(QueueReady { root: 7, token }));
        assert_eq!(queues.take_ready(two), None);
    }
}
