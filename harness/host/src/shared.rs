//! Shared data and metrics: the state that all VMs of one Envoy process share.
//!
//! Invariants: compare-and-swap numbers are never 0 and never given twice; a metric is found by kind and name, whatever id
//! a VM has for it.

mod queues;

use std::collections::{BTreeMap, VecDeque};
use std::sync::atomic::{AtomicUsize, Ordering};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use queues::Queues;
pub(crate) use queues::{NoItem, QueueReady, VmNumber};

/// The state that several [`Host`](crate::Host)s share, as the workers of one Envoy do.
///
/// Clones are handles to the same state. Metrics outlive their hosts; shared data and queues are gone once the last VM of
/// their `vm_id` has ended, as in Envoy.
#[derive(Clone, Debug, Default)]
pub struct Shared(Arc<Inner>);

#[derive(Debug, Default)]
struct Inner {
    state: Mutex<State>,
    /// The items that a VM is still to be told of, so that a host without any asks without a lock, as it does after each
    /// callback.
    untold: AtomicUsize,
}

#[derive(Debug, Default)]
struct State {
    data: BTreeMap<(String, Vec<u8>), (Vec<u8>, u32)>,
    last_cas: u32,
    counters: BTreeMap<String, u64>,
    gauges: BTreeMap<String, u64>,
    histograms: BTreeMap<String, VecDeque<u64>>,
    queues: Queues,
    /// The number of VMs of each `vm_id`.
    vms: BTreeMap<String, usize>,
}

/// A VM's hold on what the VMs of its `vm_id` share.
#[derive(Debug)]
pub(crate) struct VmHold {
    shared: Shared,
    vm_id: String,
}

impl Drop for VmHold {
    fn drop(&mut self) {
        let mut state = self.shared.lock();
        let Some(count) = state.vms.get_mut(&self.vm_id) else {
            return;
        };
        *count -= 1;
        if *count == 0 {
            state.vms.remove(&self.vm_id);
            state.data.retain(|(vm_id, _), _| *vm_id != self.vm_id);
            state.queues.forget(&self.vm_id);
        }
    }
}

/// The mismatch of a compare-and-swap number, because the value was set after it was read.
#[derive(Debug, PartialEq, Eq)]
pub(crate) struct CasMismatch;

impl Shared {
    /// Returns an empty state.
    pub fn new() -> Self {
        Self::default()
    }

    /// Keeps what the VMs of a `vm_id` share until the last hold on it is dropped.
    pub(crate) fn hold(&self, vm_id: &str) -> VmHold {
        *self.lock().vms.entry(vm_id.to_owned()).or_default() += 1;
        VmHold {
            shared: self.clone(),
            vm_id: vm_id.to_owned(),
        }
    }

    /// Returns a counter; `None` until some VM has defined the counter.
    pub fn counter(&self, name: &str) -> Option<u64> {
        self.lock().counters.get(name).copied()
    }

    /// Returns a gauge; `None` until some VM has defined the gauge. A gauge below zero wraps around, as in Envoy.
    pub fn gauge(&self, name: &str) -> Option<u64> {
        self.lock().gauges.get(name).copied()
    }

    /// Returns the values of a histogram, at most the last 65,536; `None` until some VM has defined the histogram.
    pub fn histogram(&self, name: &str) -> Option<Vec<u64>> {
        self.lock()
            .histograms
            .get(name)
            .map(|values| values.iter().copied().collect())
    }

    /// Returns all counters by name.
    pub fn counters(&self) -> BTreeMap<String, u64> {
        self.lock().counters.clone()
    }

    /// Returns all gauges by name.
    pub fn gauges(&self) -> BTreeMap<String, u64> {
        self.lock().gauges.clone()
    }

    /// Returns the shared data under a key, as a VM with this `vm_id` reads it.
    pub fn data(&self, vm_id: &str, key: impl AsRef<[u8]>) -> Option<Vec<u8>> {
        self.data_with_cas(vm_id, key.as_ref())
            .map(|(value, _)| value)
    }

    /// Returns the number of keys that a VM with this `vm_id` finds, and the bytes of all keys and values.
    pub fn data_size(&self, vm_id: &str) -> (usize, usize) {
        let state = self.lock();
        let of_vm = state.data.iter().filter(|((owner, _), _)| owner == vm_id);
        let sizes = of_vm.map(|((_, key), (value, _))| key.len() + value.len());
        sizes.fold((0, 0), |(keys, bytes), size| (keys + 1, bytes + size))
    }

    pub(crate) fn data_with_cas(&self, vm_id: &str, key: &[u8]) -> Option<(Vec<u8>, u32)> {
        self.lock()
            .data
            .get(&(vm_id.to_owned(), key.to_vec()))
            .cloned()
    }

    /// Sets shared data. A number other than 0 must be the number that was read; a missing key takes any number.
    pub(crate) fn set_data(
        &self,
        vm_id: &str,
        key: Vec<u8>,
        value: Vec<u8>,
        cas: u32,
    ) -> Result<(), CasMismatch> {
        let mut state = self.lock();
        let key = (vm_id.to_owned(), key);
        if state
            .data
            .get(&key)
            .is_some_and(|(_, current)| cas != 0 && cas != *current)
        {
            return Err(CasMismatch);
        }
        state.last_cas = state.last_cas.wrapping_add(1).max(1);
        let cas = state.last_cas;
        state.data.insert(key, (value, cas));
        Ok(())
    }

    pub(crate) fn define_counter(&self, name: &str) {
        self.lock().counters.entry(name.to_owned()).or_default();
    }

    pub(crate) fn define_gauge(&self, name: &str) {
        self.lock().gauges.entry(name.to_owned()).or_default();
    }

    pub(crate) fn define_histogram(&self, name: &str) {
        self.lock().histograms.entry(name.to_owned()).or_default();
    }

    pub(crate) fn add_to_counter(&self, name: &str, amount: u64) {
        if let Some(counter) = self.lock().counters.get_mut(name) {
            *counter = counter.wrapping_add(amount);
        }
    }

    pub(crate) fn add_to_gauge(&self, name: &str, amount: i64) {
        if let Some(gauge) = self.lock().gauges.get_mut(name) {
            *gauge = gauge.wrapping_add_signed(amount);
        }
    }

    pub(crate) fn set_gauge(&self, name: &str, value: u64) {
        if let Some(gauge) = self.lock().gauges.get_mut(name) {
            *gauge = value;
        }
    }

    pub(crate) fn record(&self, name: &str, value: u64) {
        if let Some(values) = self.lock().histograms.get_mut(name) {
            if values.len() == HISTOGRAM_MAX_VALUES {
                values.pop_front();
            }
            values.push_back(value);
        }
    }

    /// Returns a number for a VM that begins to share this state.
    pub(crate) fn next_vm(&self) -> VmNumber {
        self.lock().queues.next_vm()
    }

    pub(crate) fn register_queue(
        &self,
        vm_id: &str,
        name: Vec<u8>,
        listener: VmNumber,
        root: u32,
    ) -> u32 {
        self.lock().queues.register(vm_id, name, listener, root)
    }

    pub(crate) fn resolve_queue(&self, vm_id: &str, name: &[u8]) -> Option<u32> {
        self.lock().queues.resolve(vm_id, name)
    }

    pub(crate) fn enqueue(&self, token: u32, item: Vec<u8>) -> bool {
        let mut state = self.lock();
        let is_known = state.queues.push(token, item);
        self.0
            .untold
            .store(state.queues.untold(), Ordering::Release);
        is_known
    }

    pub(crate) fn dequeue(&self, token: u32) -> Result<Vec<u8>, NoItem> {
        self.lock().queues.pop(token)
    }

    pub(crate) fn take_queue_ready(&self, listener: VmNumber) -> Option<QueueReady> {
        if self.0.untold.load(Ordering::Acquire) == 0 {
            return None;
        }
        let mut state = self.lock();
        let ready = state.queues.take_ready(listener);
        self.0
            .untold
            .store(state.queues.untold(), Ordering::Release);
        ready
    }

    /// Returns the answer to the listener of the oldest message that `find` has one for.
    pub(crate) fn find_queue_listener<T>(
        &self,
        find: impl FnMut(VmNumber) -> Option<T>,
    ) -> Option<T> {
        if self.0.untold.load(Ordering::Acquire) == 0 {
            return None;
        }
        self.lock().queues.find_listener(find)
    }

    pub(crate) fn has_queue_ready(&self, listener: VmNumber) -> bool {
        self.lock().queues.has_ready(listener)
    }

    fn lock(&self) -> MutexGuard<'_, State> {
        // Every change above is one assignment, so that a panic elsewhere cannot leave an incomplete change.
        self.0.state.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

/// A bound that Envoy does not have, because a sidecar may run for days.
const HISTOGRAM_MAX_VALUES: usize = 65_536;

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn swaps_only_against_the_number_that_was_read() {
        let shared = Shared::new();
        assert_eq!(
            shared.set_data("vm", b"k".to_vec(), b"1".to_vec(), 77),
            Ok(()),
            "a missing key takes any number"
        );
        let (_, cas) = shared.data_with_cas("vm", b"k").unwrap();
        assert_eq!(
            shared.set_data("vm", b"k".to_vec(), b"2".to_vec(), cas),
            Ok(())
        );
        assert_eq!(
            shared.set_data("vm", b"k".to_vec(), b"3".to_vec(), cas),
            Err(CasMismatch)
        );
        assert_eq!(
            shared.set_data("vm", b"k".to_vec(), b"4".to_vec(), 0),
            Ok(()),
            "0 asks for no comparison"
        );
        assert_eq!(shared.data("vm", "k"), Some(b"4".to_vec()));
    }

    #[test]
    fn forgets_the_data_of_a_vm_id_with_the_last_of_its_vms() {
        let shared = Shared::new();
        let (first, second) = (shared.hold("one"), shared.hold("one"));
        let _other = shared.hold("two");
        for vm_id in ["one", "two"] {
            let data = shared.set_data(vm_id, b"k".to_vec(), b"1".to_vec(), 0);
            data.unwrap();
            shared.register_queue(vm_id, b"q".to_vec(), shared.next_vm(), 1);
        }
        drop(first);
        assert_eq!(shared.data("one", "k"), Some(b"1".to_vec()));
        drop(second);
        assert_eq!(shared.data("one", "k"), None);
        assert_eq!(shared.resolve_queue("one", b"q"), None);
        assert_eq!(shared.data("two", "k"), Some(b"1".to_vec()));
        assert!(shared.resolve_queue("two", b"q").is_some());
    }

    #[test]
    fn keeps_the_data_of_each_vm_id_apart() {
        let shared = Shared::new();
        shared
            .set_data("one", b"k".to_vec(), b"1".to_vec(), 0)
            .unwrap();
        assert_eq!(shared.data("two", "k"), None);
        assert_eq!(shared.data_size("one"), (1, 2));
        assert_eq!(shared.data_size("two"), (0, 0));
    }

    #[test]
    fn takes_a_gauge_below_zero_by_wrapping() {
        let shared = Shared::new();
        shared.define_gauge("g");
        shared.add_to_gauge("g", -1);
        assert_eq!(shared.gauge("g"), Some(u64::MAX));
    }

    #[test]
    fn keeps_the_last_values_of_a_histogram() {
        let shared = Shared::new();
        shared.define_histogram("h");
        for value in 0..=65_536 {
            shared.record("h", value);
        }
        let values = shared.histogram("h").unwrap();
        assert_eq!((values.len(), values[0]), (65_536, 1));
    }
}
