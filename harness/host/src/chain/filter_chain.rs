//! A chain on one thread: its VMs and filters, its time, its log, and the end of its streams.

use std::collections::{BTreeMap, VecDeque};
use std::time::Duration;

use super::stream::{ChainStream, ChainStreamId, Ended};
use crate::host::{Host, MAX_CALLBACKS};
use crate::logs::LogLine;
use crate::stream::{Ending, HasEnded};

/// A chain of filters on one worker. Plugins with one `vm_id`, VM configuration and module share a VM, as in Envoy.
///
/// ```
/// use sidespan_host::{Action, Ending, EndOfStream, FilterChain, Host, Module, StreamProperties};
///
/// # let wasm = wat::parse_str(r#"(module
/// #     (memory (export "memory") 1)
/// #     (func (export "proxy_abi_version_0_2_1"))
/// #     (func (export "malloc") (param i32) (result i32) (i32.const 1024)))"#)?;
/// let module = Module::compile(&wasm)?;
/// let mut chain = FilterChain::builder()
///     .plugin(Host::builder(&module).plugin_name("first"))
///     .plugin(Host::builder(&module).plugin_name("second"))
///     .start()?;
/// let stream = chain.open_stream(&StreamProperties::new());
/// let headers = [(":method", "GET"), (":path", "/"), (":authority", "shop")];
/// assert_eq!(chain.request_headers(stream, headers, EndOfStream::Yes), Action::Continue);
/// let sent = chain.take_request(stream).ok_or("no such stream")?;
/// assert!(sent.is_complete);
/// assert_eq!(chain.response_headers(stream, [(":status", "200")], EndOfStream::Yes), Action::Continue);
/// chain.end(stream, Ending::Complete).unwrap();
/// # Ok::<(), Box<dyn std::error::Error>>(())
/// ```
#[derive(Debug)]
pub struct FilterChain {
    pub(super) vms: Vec<Host>,
    /// The filters in order: the VM of each, and the plugin's place in it.
    pub(super) filters: Vec<(usize, usize)>,
    pub(super) streams: BTreeMap<u32, ChainStream>,
    pub(super) last_stream: u32,
    pub(super) logs: VecDeque<LogLine>,
}

impl FilterChain {
    /// Returns the number of filters.
    pub fn len(&self) -> usize {
        self.filters.len()
    }

    /// Returns true if there is no filter.
    pub fn is_empty(&self) -> bool {
        self.filters.is_empty()
    }

    /// Returns true if the stream was opened and has not ended.
    pub fn has_stream(&self, id: ChainStreamId) -> bool {
        self.streams.contains_key(&id.0)
    }

    /// Returns the VMs, in the order of the first plugin of each.
    pub fn vms(&self) -> &[Host] {
        &self.vms
    }

    /// Returns the VM of a filter.
    pub fn vm_of(&self, filter: usize) -> Option<usize> {
        self.filters.get(filter).map(|(vm, _)| *vm)
    }

    /// Returns the VMs for changes, to take and answer their calls. [`FilterChain::settle`] comes behind.
    pub fn vms_mut(&mut self) -> &mut [Host] {
        &mut self.vms
    }

    /// Moves on through the chain what filters have passed while their VMs were driven by themselves.
    pub fn settle(&mut self) {
        self.gather_all();
        self.pump_all();
        self.tell_queues();
    }

    /// Tells the guests of items in their queues, in the order of the items: Envoy's dispatcher does it once the callbacks of
    /// all filters are over.
    pub(super) fn tell_queues(&mut self) {
        for _ in 0..MAX_CALLBACKS {
            let Some(vm) = Host::next_queue_listener(&self.vms) else {
                return;
            };
            self.vms[vm].tell_queue();
            self.gather(vm);
            self.pump_all();
        }
    }

    /// Takes the log lines of all VMs, in the order in which they came: at most the last 65,536.
    pub fn take_logs(&mut self) -> Vec<LogLine> {
        self.gather_all();
        self.logs.drain(..).collect()
    }

    pub(super) fn gather_all(&mut self) {
        (0..self.vms.len()).for_each(|vm| self.gather(vm));
    }

    /// Puts the new lines of a VM behind those of the others.
    pub(super) fn gather(&mut self, vm: usize) {
        self.logs.extend(self.vms[vm].take_logs());
        let excess = self.logs.len().saturating_sub(MAX_LINES);
        self.logs.drain(..excess);
    }

    /// Advances the virtual time of all VMs, and runs every tick and timeout on the way in order.
    pub fn advance(&mut self, duration: Duration) {
        let Some(now) = self.vms.first().map(Host::now) else {
            return;
        };
        let target = now.saturating_add(duration);
        while let Some(due) = self.due_in().filter(|due| self.now() + *due <= target) {
            if due.is_zero() {
                self.run_due();
                continue;
            }
            self.move_by(due);
        }
        self.move_by(target.saturating_sub(self.now()));
    }

    fn move_by(&mut self, duration: Duration) {
        for vm in 0..self.vms.len() {
            self.vms[vm].advance(duration);
            self.gather(vm);
            self.pump_all();
        }
        self.tell_queues();
    }

    /// Returns the time of the VMs since 1970; zero without a filter.
    pub fn now(&self) -> Duration {
        self.vms.first().map(Host::now).unwrap_or_default()
    }

    /// Returns the time until the next tick or timeout; `None` while none is set.
    pub fn due_in(&self) -> Option<Duration> {
        self.vms.iter().filter_map(Host::due_in).min()
    }

    /// Runs due timers of all VMs.
    pub fn run_due(&mut self) {
        for vm in 0..self.vms.len() {
            self.vms[vm].run_due();
            self.gather(vm);
            self.pump_all();
        }
        self.tell_queues();
    }

    /// Ends a stream, at any time: `proxy_on_log` of all filters in order, then `proxy_on_done` and `proxy_on_delete` of
    /// each. Returns `None` if there is no such stream.
    pub fn end(&mut self, id: ChainStreamId, ending: Ending) -> Option<Ended> {
        let stream = self.streams.remove(&id.0)?;
        let has_ended = HasEnded::when_answered(stream.response.headers.is_some());
        for (filter, part) in stream.parts.iter().enumerate() {
            self.share_filter_state(&stream, filter);
            let (vm, _) = self.filters[filter];
            self.vms[vm].log_stream(*part, ending, has_ended);
            self.gather(vm);
        }
        let mut ended = Ended {
            details: None,
            flags: 0,
            is_reset: stream.is_reset,
            local_reply: stream.local_reply,
        };
        for (part, (vm, _)) in stream.parts.iter().zip(&self.filters) {
            if let Some(part) = self.vms[*vm].delete_stream(*part) {
                ended.flags |= part.response_flags();
                ended.details = ended.details.or(part.code_details());
            }
            self.logs.extend(self.vms[*vm].take_logs());
        }
        self.tell_queues();
        Some(ended)
    }

    /// Ends every root context of every VM.
    pub fn shutdown(&mut self) {
        for vm in &mut self.vms {
            let _ = vm.shutdown();
        }
    }
}

/// A bound on the log, the same as a VM's own.
const MAX_LINES: usize = 65_536;
