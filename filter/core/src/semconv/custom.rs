//! The configured attributes (`$.spans.attributes`): each from its source, or its default where the source has no
//! value.
//!
//! Sources that cannot change under a configuration, literals and environment variables, are encoded once. Headers of
//! the request and baggage are read when the request begins; headers of the response and properties when the request
//! ends, because most properties are known only then (EN-11).

use alloc::string::String;
use alloc::vec::Vec;

use super::settings::{AttributeSource, CustomAttribute};
use crate::headers::RequestHeaders;
use crate::propagation::baggage;
use crate::span::attributes::Attributes;
use crate::stream_info::source;
use crate::stream_info::source::StreamInfo;

/// The configured attributes on one node.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub(crate) struct CustomAttributes {
    // The attributes that are the same on every span.
    fixed: Attributes,
    at_begin: Vec<CustomAttribute>,
    at_end: Vec<CustomAttribute>,
}

impl CustomAttributes {
    /// Returns the attributes of this configuration, with `fixed` in front. `variables` are the environment variables
    /// of the VM that the configuration names.
    pub(crate) fn new(
        mut fixed: Attributes,
        attributes: &[CustomAttribute],
        variables: &[(String, String)],
    ) -> Self {
        let (mut at_begin, mut at_end) = (Vec::new(), Vec::new());
        for attribute in attributes {
            let mut fix = |value: Option<&str>| {
                if let Some(value) = value.or(attribute.default.as_deref()) {
                    fixed.text(&attribute.name, value.as_bytes());
                }
            };
            match &attribute.source {
                AttributeSource::Literal(value) => fix(Some(value)),
                AttributeSource::Environment(name) => {
                    let variable = variables.iter().find(|(other, _)| other == name);
                    fix(variable.map(|(_, value)| value.as_str()));
                }
                AttributeSource::RequestHeader(_) | AttributeSource::Baggage(_) => {
                    at_begin.push(attribute.clone());
                }
                AttributeSource::ResponseHeader(_) | AttributeSource::Property(_) => {
                    at_end.push(attribute.clone());
                }
            }
        }
        Self {
            fixed,
            at_begin,
            at_end,
        }
    }

    /// Returns the attributes that a span begins with, in this block. `all` are all headers of the request.
    #[inline]
    pub(crate) fn begin<'a>(
        &self,
        headers: &RequestHeaders<'_>,
        all: impl Iterator<Item = (&'a [u8], &'a [u8])> + Clone,
        block: Vec<u8>,
    ) -> Attributes {
        let mut out = self.fixed.copied_into(block);
        for attribute in &self.at_begin {
            let value = match &attribute.source {
                AttributeSource::RequestHeader(name) => joined(name, all.clone()),
                AttributeSource::Baggage(key) => baggage::value(headers, key.as_bytes()),
                _ => None,
            };
            attribute.write(&mut out, value);
        }
        out
    }

    /// Returns true if any attribute has a source that is read at the end.
    pub(crate) fn has_end(&self) -> bool {
        !self.at_end.is_empty()
    }

    /// Adds the attributes that are read at the end. `response` are the headers of the response if they were read
    /// before.
    pub(crate) fn end(
        &self,
        out: &mut Attributes,
        response: &[Option<Vec<u8>>],
        stream_info: &impl StreamInfo,
    ) {
        for (index, attribute) in self.at_end.iter().enumerate() {
            let early = response.get(index).cloned().flatten();
            let value = early.or_else(|| attribute.source.read(stream_info));
            attribute.write(out, value);
        }
    }

    /// Reads the response's headers for an end at which they can no longer be read.
    pub(crate) fn read_response(&self, stream_info: &impl StreamInfo) -> Vec<Option<Vec<u8>>> {
        self.at_end
            .iter()
            .map(|attribute| match &attribute.source {
                AttributeSource::ResponseHeader(_) => attribute.source.read(stream_info),
                _ => None,
            })
            .collect()
    }
}

impl CustomAttribute {
    fn write(&self, out: &mut Attributes, value: Option<Vec<u8>>) {
        let default = || self.default.as_ref().map(|text| text.as_bytes().to_vec());
        if let Some(value) = value.or_else(default) {
            out.text(&self.name, &value);
        }
    }
}

impl AttributeSource {
    fn read(&self, stream_info: &impl StreamInfo) -> Option<Vec<u8>> {
        match self {
            // The property has all lines of the header.
            Self::ResponseHeader(name) => {
                stream_info.property(&alloc::format!("response\0headers\0{name}"))
            }
            Self::Property(path) => source::text(stream_info, path),
            _ => None,
        }
    }
}

/// Returns all lines of a header, with commas between them; `None` where there is no line.
fn joined<'a>(name: &str, all: impl Iterator<Item = (&'a [u8], &'a [u8])>) -> Option<Vec<u8>> {
    let mut lines = all
        .filter(|(other, _)| *other == name.as_bytes())
        .map(|(_, line)| line);
    let mut joined = lines.next()?.to_vec();
    for line in lines {
        joined.push(b',');
        joined.extend_from_slice(line);
    }
    Some(joined)
}
