//! An exchange in memory, for whoever uses this crate without a proxy.

use alloc::string::String;
use alloc::vec::Vec;

use super::header_list::HeaderList;
use crate::codec::number;
use crate::stream_info::attributes::AttributeSet;
use crate::stream_info::fact::Fact;
use crate::stream_info::source::{self, PassingResponse, StreamInfo};

/// The answers of a proxy, written down beforehand.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Record {
    properties: Vec<(String, Vec<u8>)>,
    headers: HeaderList,
    trailers: HeaderList,
}

impl Record {
    /// An exchange whose response has this status and nothing else.
    pub fn answered(status: u16) -> Self {
        Self::default().header(":status", &alloc::format!("{status}"))
    }

    /// Adds a property, with dots between the segments of its path.
    #[must_use]
    pub fn property(mut self, path: &str, value: impl AsRef<[u8]>) -> Self {
        let value = value.as_ref().to_vec();
        self.properties.push((path.replace('.', "\0"), value));
        self
    }

    /// Adds a property that is a whole number.
    #[must_use]
    pub fn number(self, path: &str, value: u64) -> Self {
        self.property(path, value.to_le_bytes())
    }

    /// Adds a header of the response.
    #[must_use]
    pub fn header(mut self, name: &str, value: &str) -> Self {
        self.headers.add(name, value);
        self
    }

    /// Adds a trailer of the response.
    #[must_use]
    pub fn trailer(mut self, name: &str, value: &str) -> Self {
        self.trailers.add(name, value);
        self
    }

    /// Sets a property, its segments joined by NUL, in place of one with this path.
    pub(super) fn set_property(&mut self, path: &str, value: &[u8]) {
        self.properties.retain(|(other, _)| other != path);
        self.properties.push((path.into(), value.to_vec()));
    }

    /// Puts the response of another record in place of this one's, and adds its properties.
    pub(super) fn replace_all(&mut self, other: Self) {
        self.headers = other.headers;
        self.trailers = other.trailers;
        for (path, value) in other.properties {
            self.set_property(&path, &value);
        }
    }

    pub(super) fn headers_mut(&mut self) -> &mut HeaderList {
        &mut self.headers
    }

    pub(super) fn trailers_mut(&mut self) -> &mut HeaderList {
        &mut self.trailers
    }
}

impl StreamInfo for Record {
    fn property(&self, path: &str) -> Option<Vec<u8>> {
        if let Some(name) = path.strip_prefix("response\0headers\0") {
            return joined(&self.headers, name);
        }
        if let Some(name) = path.strip_prefix("response\0trailers\0") {
            return joined(&self.trailers, name);
        }
        if let Some((_, value)) = self.properties.iter().find(|(other, _)| other == path) {
            return Some(value.clone());
        }
        // The code is that of the response, unless the record says that the client got another.
        let code = first(&self.headers, ":status").filter(|_| path == "response\0code")?;
        let code: u64 = number::parse(&code)?;
        Some(code.to_le_bytes().to_vec())
    }

    fn answers(&self, _: AttributeSet) -> Option<Vec<u8>> {
        None
    }

    fn confirms(&self, fact: Fact) -> bool {
        match fact {
            Fact::GoodEnd => {
                source::number(self, "response\0flags") == Some(0)
                    && matches!(source::number(self, "response\0code"), Some(..=499))
            }
        }
    }
}

impl PassingResponse for Record {
    fn response_headers(&self) -> Vec<u8> {
        self.headers.to_block()
    }

    fn response_header(&self, name: &str) -> Option<Vec<u8>> {
        first(&self.headers, name)
    }

    fn response_trailer(&self, name: &str) -> Option<Vec<u8>> {
        first(&self.trailers, name)
    }
}

fn first(list: &HeaderList, name: &str) -> Option<Vec<u8>> {
    let (_, value) = list.iter().find(|(other, _)| *other == name)?;
    Some(value.to_vec())
}

/// All lines of a header as Envoy joins them.
fn joined(list: &HeaderList, name: &str) -> Option<Vec<u8>> {
    let lines: Vec<&[u8]> = list
        .iter()
        .filter(|(other, _)| *other == name)
        .map(|(_, value)| value)
        .collect();
    (!lines.is_empty()).then(|| lines.join(&b','))
}

/// Answers to a question that this crate's own tests, and users without a proxy, write as the proxy would.
pub fn list<'a>(values: impl ExactSizeIterator<Item = &'a [u8]> + Clone) -> Vec<u8> {
    let length = |length: usize| u32::try_from(length).unwrap_or(u32::MAX).to_le_bytes();
    let mut out = length(values.len()).to_vec();
    for value in values.clone() {
        out.extend(length(value.len()));
        out.extend([0; 4]);
    }
    for value in values {
        out.extend_from_slice(value);
        out.extend([0; 2]);
    }
    out
}
