//! A proxy in memory: one stream after the other, shared data, a clock that is set, and calls that are written down.

use alloc::collections::BTreeMap;
use alloc::string::{String, ToString};
use alloc::vec::Vec;
use core::cell::{Cell, RefCell};
use core::fmt;
use core::time::Duration;

use super::header_list::HeaderList;
use super::stream_record::Record;
use crate::cluster_call::send_error::SendError;
use crate::direction::Direction;
use crate::headers::HeaderWriter;
use crate::proxy::{ClusterCalls, LogLevel, SharedData, Stream, Worker};
use crate::stream_info::attributes::AttributeSet;
use crate::stream_info::fact::Fact;
use crate::stream_info::source::{PassingResponse, StreamInfo};
use crate::time::Nanos;

/// A proxy in memory.
#[derive(Debug, Default)]
pub struct InMemoryProxy {
    /// The request's headers of the current stream.
    pub request: RefCell<HeaderList>,
    /// The attributes and the response of the current stream.
    pub stream: RefCell<Record>,
    /// True where the proxy has no CEL, and so confirms nothing.
    pub confirms_nothing: Cell<bool>,
    /// The direction of the listener, by the numbers of Envoy's `TrafficDirection`.
    pub listener_direction: Cell<Option<u64>>,
    /// The time of day.
    pub now: Cell<Nanos>,
    /// True while lines at level debug are written.
    pub logs_debug: Cell<bool>,
    /// Lines of the log.
    pub log: RefCell<Vec<String>>,
    /// The bodies of calls; each call's token is the number of calls before it.
    pub calls: RefCell<Vec<Vec<u8>>>,
    /// The headers and the body of the answer that comes next.
    pub answer: RefCell<(HeaderList, Vec<u8>)>,
    /// The changes to the current stream's response and its trailers, each with the value that was set, if any.
    pub response_changes: Changes,
    /// The number of times that a listener was asked for its direction.
    pub direction_reads: Cell<usize>,
    /// The keys of the shared data that were read, in order.
    pub shared_reads: RefCell<Vec<Vec<u8>>>,
    /// The keys of the shared data that were written, in order.
    pub shared_writes: RefCell<Vec<Vec<u8>>>,
    shared_data: RefCell<BTreeMap<Vec<u8>, Vec<u8>>>,
}

impl InMemoryProxy {
    /// Begins another stream with this request.
    pub fn open(&self, request: HeaderList) {
        self.request.replace(request);
        self.stream.replace(Record::default());
        self.response_changes.take();
    }

    /// Lets the listener of all streams from now on face this way.
    pub fn face(&self, direction: Direction) {
        self.listener_direction.set(match direction {
            Direction::Inbound => Some(1),
            Direction::Outbound => Some(2),
            Direction::Edge => None,
        });
    }

    /// Lets the response come, and whatever else is known of the stream from then on.
    pub fn respond(&self, record: Record) {
        self.stream.borrow_mut().replace_all(record);
    }

    /// Returns the value of a key of the shared data.
    pub fn shared(&self, key: &[u8]) -> Option<Vec<u8>> {
        self.shared_data.borrow().get(key).cloned()
    }

    /// Returns the keys of the shared data that begin with this prefix.
    pub fn shared_keys(&self, prefix: &[u8]) -> Vec<Vec<u8>> {
        let data = self.shared_data.borrow();
        let keys = data.keys().filter(|key| key.starts_with(prefix));
        keys.cloned().collect()
    }
}

/// Changes to header maps, each with the value that was set, if any.
pub type Changes = RefCell<Vec<(&'static str, Option<Vec<u8>>)>>;

/// The writer of one header map.
struct Writer<'a, T> {
    owner: &'a RefCell<T>,
    list: fn(&mut T) -> &mut HeaderList,
    changes: Option<&'a Changes>,
}

impl<T> Writer<'_, T> {
    fn change(&self, name: &'static str, value: Option<&[u8]>) {
        if let Some(changes) = self.changes {
            let value = value.map(<[u8]>::to_vec);
            changes.borrow_mut().push((name, value));
        }
    }
}

impl<T> HeaderWriter for Writer<'_, T> {
    fn set(&mut self, name: &'static str, value: &[u8]) {
        self.change(name, Some(value));
        HeaderWriter::set((self.list)(&mut self.owner.borrow_mut()), name, value);
    }

    fn add(&mut self, name: &'static str, value: &[u8]) {
        self.change(name, Some(value));
        HeaderWriter::add((self.list)(&mut self.owner.borrow_mut()), name, value);
    }

    fn remove(&mut self, name: &'static str) {
        self.change(name, None);
        HeaderWriter::remove((self.list)(&mut self.owner.borrow_mut()), name);
    }
}

impl StreamInfo for InMemoryProxy {
    fn property(&self, path: &str) -> Option<Vec<u8>> {
        StreamInfo::property(&*self.stream.borrow(), path)
    }

    fn answers(&self, set: AttributeSet) -> Option<Vec<u8>> {
        self.stream.borrow().answers(set)
    }

    fn confirms(&self, fact: Fact) -> bool {
        !self.confirms_nothing.get() && self.stream.borrow().confirms(fact)
    }
}

impl PassingResponse for InMemoryProxy {
    fn response_headers(&self) -> Vec<u8> {
        self.stream.borrow().response_headers()
    }

    fn response_header(&self, name: &str) -> Option<Vec<u8>> {
        self.stream.borrow().response_header(name)
    }

    fn response_trailer(&self, name: &str) -> Option<Vec<u8>> {
        self.stream.borrow().response_trailer(name)
    }
}

impl Stream for InMemoryProxy {
    fn request_headers(&self) -> Vec<u8> {
        self.request.borrow().to_block()
    }

    fn request_writer(&self) -> impl HeaderWriter {
        Writer {
            owner: &self.request,
            list: |list| list,
            changes: None,
        }
    }

    fn response_writer(&self) -> impl HeaderWriter {
        Writer {
            owner: &self.stream,
            list: Record::headers_mut,
            changes: Some(&self.response_changes),
        }
    }

    fn trailer_writer(&self) -> impl HeaderWriter {
        Writer {
            owner: &self.stream,
            list: Record::trailers_mut,
            changes: Some(&self.response_changes),
        }
    }

    fn listener_direction(&self) -> Option<u64> {
        self.direction_reads
            .set(self.direction_reads.get().saturating_add(1));
        self.listener_direction.get()
    }

    fn set_filter_state(&self, name: &str, value: &[u8]) {
        self.stream.borrow_mut().set_property(name, value);
    }
}

impl SharedData for InMemoryProxy {
    fn shared_data(&self, key: &[u8]) -> Vec<u8> {
        self.shared_reads.borrow_mut().push(key.to_vec());
        self.shared(key).unwrap_or_default()
    }

    fn set_shared_data(&self, key: &[u8], value: &[u8]) {
        self.shared_writes.borrow_mut().push(key.to_vec());
        let mut data = self.shared_data.borrow_mut();
        data.insert(key.to_vec(), value.to_vec());
    }
}

impl ClusterCalls for InMemoryProxy {
    fn http_call(
        &self,
        _: &str,
        _: &[(&str, &str)],
        body: Option<&[u8]>,
        _: Duration,
    ) -> Result<u32, SendError> {
        let mut calls = self.calls.borrow_mut();
        let token = u32::try_from(calls.len()).map_err(|_| SendError::NotSent)?;
        calls.push(body.unwrap_or_default().to_vec());
        Ok(token)
    }

    fn answer_header(&self, name: &str) -> Option<Vec<u8>> {
        let answer = self.answer.borrow();
        let mut lines = answer.0.iter();
        let (_, value) = lines.find(|(other, _)| *other == name)?;
        Some(value.to_vec())
    }

    fn answer_trailer(&self, name: &str) -> Option<Vec<u8>> {
        self.answer_header(name)
    }

    fn answer_body(&self, max_bytes: usize) -> Vec<u8> {
        self.answer
            .borrow()
            .1
            .iter()
            .copied()
            .take(max_bytes)
            .collect()
    }
}

impl Worker for InMemoryProxy {
    fn now(&self) -> Nanos {
        self.now.get()
    }

    fn monotonic(&self) -> Nanos {
        self.now.get()
    }

    fn set_tick_period(&self, _: Duration) {}

    fn logs_debug(&self) -> bool {
        self.logs_debug.get()
    }

    fn log(&self, _: LogLevel, line: fmt::Arguments<'_>) {
        self.log.borrow_mut().push(line.to_string());
    }

    fn log_once(&self, level: LogLevel, _: &str, _: &str, _: Duration, line: fmt::Arguments<'_>) {
        self.log(level, line);
    }
}
