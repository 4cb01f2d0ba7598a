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
use crate::headers::HeaderWriter;
use crate::proxy::{ClusterCalls, LogLevel, SharedData, Stream, Worker};
use crate::stream_info::attributes::AttributeSet;
use crate::stream_info::source::StreamInfo;
use crate::time::Nanos;

/// A proxy in memory.
#[derive(Debug, Default)]
pub struct InMemoryProxy {
    /// The request's headers of the current stream.
    pub request: RefCell<HeaderList>,
    /// What is known of the current stream, its response among it.
    pub stream: RefCell<Record>,
    /// The direction of the listener, by the numbers of Envoy's `TrafficDirection`.
    pub listener_direction: Cell<Option<u64>>,
    /// The time of day.
    pub now: Cell<Nanos>,
    /// Lines of the log, down to level debug.
    pub log: RefCell<Vec<String>>,
    /// The bodies of calls; each call's token is the number of calls before it.
    pub calls: RefCell<Vec<Vec<u8>>>,
    /// The headers and the body of the answer that comes next.
    pub answer: RefCell<(HeaderList, Vec<u8>)>,
    shared_data: RefCell<BTreeMap<Vec<u8>, Vec<u8>>>,
}

impl InMemoryProxy {
    /// Begins another stream with this request.
    pub fn open(&self, request: HeaderList) {
        self.request.replace(request);
        self.stream.replace(Record::default());
    }

    /// Lets the response come, and whatever else is known of the stream from then on.
    pub fn respond(&self, record: Record) {
        self.stream.borrow_mut().replace_all(record);
    }

    /// Returns the value of a key of the shared data.
    pub fn shared(&self, key: &[u8]) -> Option<Vec<u8>> {
        self.shared_data.borrow().get(key).cloned()
    }
}

/// The writer of one header map.
struct Writer<'a, T>(&'a RefCell<T>, fn(&mut T) -> &mut HeaderList);

impl<T> HeaderWriter for Writer<'_, T> {
    fn set(&mut self, name: &'static str, value: &[u8]) {
        HeaderWriter::set((self.1)(&mut self.0.borrow_mut()), name, value);
    }

    fn add(&mut self, name: &'static str, value: &[u8]) {
        HeaderWriter::add((self.1)(&mut self.0.borrow_mut()), name, value);
    }

    fn remove(&mut self, name: &'static str) {
        HeaderWriter::remove((self.1)(&mut self.0.borrow_mut()), name);
    }
}

impl StreamInfo for InMemoryProxy {
    fn property(&self, path: &str) -> Option<Vec<u8>> {
        StreamInfo::property(&*self.stream.borrow(), path)
    }

    fn response_header(&self, name: &str) -> Option<Vec<u8>> {
        self.stream.borrow().response_header(name)
    }

    fn response_trailer(&self, name: &str) -> Option<Vec<u8>> {
        self.stream.borrow().response_trailer(name)
    }

    fn answers(&self, set: AttributeSet) -> Option<Vec<u8>> {
        self.stream.borrow().answers(set)
    }
}

impl Stream for InMemoryProxy {
    fn request_headers(&self) -> Vec<u8> {
        self.request.borrow().to_block()
    }

    fn request_writer(&self) -> impl HeaderWriter {
        Writer(&self.request, |list| list)
    }

    fn response_writer(&self) -> impl HeaderWriter {
        Writer(&self.stream, Record::headers_mut)
    }

    fn trailer_writer(&self) -> impl HeaderWriter {
        Writer(&self.stream, Record::trailers_mut)
    }

    fn listener_direction(&self) -> Option<u64> {
        self.listener_direction.get()
    }

    fn set_filter_state(&self, name: &str, value: &[u8]) {
        self.stream.borrow_mut().set_property(name, value);
    }
}

impl SharedData for InMemoryProxy {
    fn shared_data(&self, key: &[u8]) -> Vec<u8> {
        self.shared(key).unwrap_or_default()
    }

    fn set_shared_data(&self, key: &[u8], value: &[u8]) {
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

    fn set_tick_period(&self, _: Duration) {}

    fn logs_debug(&self) -> bool {
        true
    }

    fn log(&self, _: LogLevel, line: fmt::Arguments<'_>) {
        self.log.borrow_mut().push(line.to_string());
    }

    fn log_once(&self, level: LogLevel, _: &str, _: &str, _: Duration, line: fmt::Arguments<'_>) {
        self.log(level, line);
    }
}
