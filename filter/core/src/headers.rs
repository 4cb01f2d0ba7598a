//! The headers of one request, read in one pass, and the changes to the proxy's header map.
//!
//! The proxy hands over the whole header map as one block of bytes, because asking for single headers would cost a call
//! each. [`RequestHeaders::read`] walks over the block once and keeps borrowed slices of the headers that the filter
//! knows, so nothing is allocated for a header. Headers are not trusted: values are bytes, names may repeat.

mod name;
pub mod pairs;
pub(crate) mod target;

use alloc::vec::Vec;

use crate::codec::scan;

pub use name::{Name, Names};

/// The headers of a request that the filter knows.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct RequestHeaders<'a> {
    first: [Option<&'a [u8]>; Name::ALL.len()],
    // Names that have a line, one bit each, so that looking for a format costs one test.
    present: Names,
    // Names that were searched for. For any other name, absence is unknown.
    searched: Names,
    // The second and later lines of a name; empty, and not allocated, but for hostile or careless callers.
    repeated: Vec<(Name, &'a [u8])>,
    // The path and the query of `:path`, taken apart once for all that look at them.
    target: (&'a [u8], Option<&'a [u8]>),
}

impl Default for RequestHeaders<'_> {
    #[inline]
    fn default() -> Self {
        Self {
            first: [None; Name::ALL.len()],
            present: Names::NONE,
            searched: Names::NONE,
            repeated: Vec::new(),
            target: (&[], None),
        }
    }
}

impl<'a> RequestHeaders<'a> {
    /// Reads the headers that the filter knows; names must be in lower case, as proxies write them.
    #[inline]
    pub fn read(headers: impl IntoIterator<Item = (&'a [u8], &'a [u8])>) -> Self {
        Self::read_only(Names::ALL, headers)
    }

    /// Reads the headers with these names alone.
    #[inline]
    pub fn read_only(
        wanted: Names,
        headers: impl IntoIterator<Item = (&'a [u8], &'a [u8])>,
    ) -> Self {
        let mut read = Self::nothing_of(wanted);
        read.take(headers);
        read
    }

    /// Returns no headers, where those with these names alone are to be [taken](Self::take).
    #[inline]
    pub(crate) fn nothing_of(wanted: Names) -> Self {
        Self {
            searched: wanted,
            ..Self::default()
        }
    }

    /// Takes the headers of a request in place, because the whole is large and would be moved. Always a part of its caller.
    #[inline(always)]
    pub(crate) fn take(&mut self, headers: impl IntoIterator<Item = (&'a [u8], &'a [u8])>) {
        let (wanted, mut present) = (self.searched, Names::NONE);
        for (name, value) in headers {
            // The set is asked after the name is known, because the compiler otherwise tests all names of the set before the loop.
            if let Some(name) = Name::of(name).filter(|name| wanted.contains(*name)) {
                present = present.with(name);
                match self.first.get_mut(name as usize) {
                    Some(first @ None) => *first = Some(value),
                    _ => self.repeated.push((name, value)),
                }
            }
        }
        self.present = present;
        self.target = target::split_target(self.first(Name::Path).unwrap_or_default());
    }

    /// Returns the path of the request, and the query if there is one.
    #[inline]
    pub(crate) fn target(&self) -> (&'a [u8], Option<&'a [u8]>) {
        self.target
    }

    /// Returns all lines of a header.
    #[inline]
    pub fn lines(&self, name: Name) -> Lines<'_, 'a> {
        Lines {
            name,
            first: self.first(name),
            repeated: &self.repeated,
        }
    }

    /// Returns the value of a header's first line.
    #[inline]
    pub fn first(&self, name: Name) -> Option<&'a [u8]> {
        self.first.get(name as usize).copied().flatten()
    }

    /// Returns true if the header has a line, even an empty one.
    #[inline]
    pub fn has(&self, name: Name) -> bool {
        self.present.contains(name)
    }

    /// Returns true if any of these headers has a line.
    #[inline]
    pub fn has_any(&self, names: Names) -> bool {
        self.present.meets(names)
    }

    /// Writes the header, unless it has this value already, because a write that changes nothing still costs a call
    /// (EN-10).
    #[inline]
    pub(crate) fn set(&self, writer: &mut impl HeaderWriter, name: Name, value: &[u8]) {
        if self.searched.contains(name) && !self.has(name) {
            writer.add(name.as_str(), value);
            return;
        }
        let line = self.lines(name).single();
        if !line.is_some_and(|line| scan::is_same(line, value)) {
            writer.set(name.as_str(), value);
        }
    }

    /// Writes the header, or removes it where the value is empty.
    #[inline]
    pub(crate) fn set_or_remove(&self, writer: &mut impl HeaderWriter, name: Name, value: &[u8]) {
        if value.is_empty() {
            self.remove(writer, name);
        } else {
            self.set(writer, name, value);
        }
    }

    /// Removes the header if it has a line.
    #[inline]
    pub(crate) fn remove(&self, writer: &mut impl HeaderWriter, name: Name) {
        if self.has(name) {
            writer.remove(name.as_str());
        }
    }
}

/// The lines of one header, in order.
#[derive(Clone, Copy, Debug)]
pub struct Lines<'h, 'a> {
    name: Name,
    first: Option<&'a [u8]>,
    repeated: &'h [(Name, &'a [u8])],
}

impl<'h, 'a> Lines<'h, 'a> {
    /// Returns the value, if there is exactly one line.
    #[inline]
    pub fn single(&self) -> Option<&'a [u8]> {
        let is_alone = self.repeated.iter().all(|(name, _)| *name != self.name);
        self.first.filter(|_| is_alone)
    }

    /// Returns true if there is a line, even an empty one.
    #[inline]
    pub fn is_present(&self) -> bool {
        self.first.is_some()
    }

    /// Returns the values, in order.
    #[inline]
    pub fn iter(self) -> impl Iterator<Item = &'a [u8]> + use<'h, 'a> {
        let rest = self
            .repeated
            .iter()
            .filter(move |(name, _)| *name == self.name)
            .map(|(_, value)| *value);
        self.first.into_iter().chain(rest)
    }
}

/// The destination of changes to the request's headers.
pub trait HeaderWriter {
    /// Replaces all lines of the header by this one.
    fn set(&mut self, name: &'static str, value: &[u8]);
    /// Adds the one line of a header that has none, so that a proxy need not look for lines to replace.
    #[inline]
    fn add(&mut self, name: &'static str, value: &[u8]) {
        self.set(name, value);
    }
    /// Removes all lines of the header.
    fn remove(&mut self, name: &'static str);
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn keeps_every_line_of_a_repeated_header_in_order() {
        let headers = RequestHeaders::read([
            (&b"tracestate"[..], &b"a=1"[..]),
            (b"other", b"x"),
            (b"tracestate", b""),
            (b"tracestate", b"b=2"),
        ]);
        let lines: Vec<_> = headers.lines(Name::Tracestate).iter().collect();
        assert_eq!(lines, [&b"a=1"[..], b"", b"b=2"]);
        assert_eq!(headers.lines(Name::Tracestate).single(), None);
        assert!(!headers.has(Name::Traceparent));
    }

    #[test]
    fn adds_what_is_known_not_to_be_there_and_replaces_all_else() {
        #[derive(Default)]
        struct Calls(Vec<(&'static str, &'static str)>);
        impl HeaderWriter for Calls {
            fn set(&mut self, name: &'static str, _: &[u8]) {
                self.0.push(("set", name));
            }
            fn add(&mut self, name: &'static str, _: &[u8]) {
                self.0.push(("add", name));
            }
            fn remove(&mut self, _: &'static str) {}
        }
        let lines = [
            (&b"b3"[..], &b"0"[..]),
            (b"tracestate", b"a=1"),
            (b"tracestate", b"v"),
            (b"traceparent", b"v"),
            (b"uber-trace-id", b"v"),
        ];
        let headers = RequestHeaders::read_only(Names::ALL.without(&[Name::UberTraceId]), lines);
        let mut calls = Calls::default();
        for name in [
            Name::B3,
            Name::Tracestate,
            Name::Traceparent,
            Name::UberTraceId,
            Name::GrpcTraceBin,
        ] {
            headers.set(&mut calls, name, b"v");
        }
        let expected = [
            ("set", "b3"),
            ("set", "tracestate"),
            ("set", "uber-trace-id"),
            ("add", "grpc-trace-bin"),
        ];
        assert_eq!(calls.0, expected);
    }

    #[test]
    fn an_empty_line_is_present() {
        let headers = RequestHeaders::read([(&b"b3"[..], &b""[..])]);
        assert!(headers.has(Name::B3));
        assert_eq!(headers.lines(Name::B3).single(), Some(&b""[..]));
    }
}
