//! The configured attributes (`$.spans.attributes`): each from its source, or its default where the source has no
//! value.
//!
//! Sources that cannot change under a configuration, literals and environment variables, are encoded once. Headers of
//! the request and baggage are read when the request begins, headers of the response as they pass, and properties when the
//! request ends, because most properties are known only then (EN-11).

use alloc::string::String;
use alloc::vec::Vec;

use super::settings::{AttributeSource, CustomAttribute};
use crate::headers::RequestHeaders;
use crate::propagation::baggage;
use crate::span::attributes::Attributes;
use crate::stream_info::heard::ResponsePart;
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
        for attribute in attributes.iter().map(CustomAttribute::at_its_moment) {
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
                    at_begin.push(attribute);
                }
                AttributeSource::ResponseHeader(_) | AttributeSource::Property(_) => {
                    at_end.push(attribute);
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

    /// Returns true if any attribute is read from the response as it passes.
    pub(crate) fn reads_response(&self) -> bool {
        let mut all = self.at_end.iter();
        all.any(|attribute| {
            let parts = [ResponsePart::Headers, ResponsePart::Trailers];
            parts.iter().any(|part| attribute.source.is_in(*part))
        })
    }

    /// Adds the attributes that are known at the end. `response` is what the response said as it passed.
    pub(crate) fn end(
        &self,
        out: &mut Attributes,
        response: &[Option<Vec<u8>>],
        stream_info: &impl StreamInfo,
    ) {
        for (index, attribute) in self.at_end.iter().enumerate() {
            let heard = response.get(index).cloned().flatten();
            let value = match &attribute.source {
                AttributeSource::ResponseHeader(_) => heard,
                source => heard.or_else(|| source.read(stream_info)),
            };
            attribute.write(out, value);
        }
    }

    /// Reads a part of the response as it passes, because at the end it can no longer be read. `heard` is what an earlier part
    /// has said, and is empty before.
    pub(crate) fn read_response(
        &self,
        part: ResponsePart,
        stream_info: &impl StreamInfo,
        heard: &mut Vec<Option<Vec<u8>>>,
    ) {
        heard.resize(self.at_end.len(), None);
        for (attribute, value) in self.at_end.iter().zip(heard) {
            if attribute.source.is_in(part)
                && let Some(said) = attribute.source.read(stream_info)
            {
                *value = Some(said);
            }
        }
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

impl CustomAttribute {
    /// Returns the attribute with the source under which it can be read: properties that are headers of the request are known
    /// when it begins, and no more when it has ended.
    fn at_its_moment(&self) -> Self {
        let source = match &self.source {
            AttributeSource::Property(path) => header_of(path)
                .map(|name| AttributeSource::RequestHeader(name.into()))
                .or_else(|| {
                    let name = path.strip_prefix("response\0headers\0")?;
                    Some(AttributeSource::ResponseHeader(name.into()))
                }),
            _ => None,
        };
        Self {
            source: source.unwrap_or_else(|| self.source.clone()),
            ..self.clone()
        }
    }
}

/// Returns the header of the request that Envoy gives as this property.
fn header_of(path: &str) -> Option<&str> {
    Some(match path {
        "request\0host" => ":authority",
        "request\0scheme" => ":scheme",
        "request\0method" => ":method",
        "request\0referer" => "referer",
        "request\0useragent" => "user-agent",
        "request\0id" => "x-request-id",
        "request\0url_path" => URL_PATH,
        path => return path.strip_prefix("request\0headers\0"),
    })
}

impl AttributeSource {
    /// Returns true if this source may be in a part of the response, and is read as that part passes.
    fn is_in(&self, part: ResponsePart) -> bool {
        match (self, part) {
            (Self::ResponseHeader(_), ResponsePart::Headers) => true,
            // Envoy finds it in either part.
            (Self::Property(path), _) if path == "response\0grpc_status" => true,
            (Self::Property(path), ResponsePart::Trailers) => {
                path.starts_with("response\0trailers\0")
            }
            _ => false,
        }
    }

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

/// The name under which the path without its query is read.
const URL_PATH: &str = ":path?";

/// Returns all lines of a header, with commas between them; `None` where there is no line.
fn joined<'a>(name: &str, all: impl Iterator<Item = (&'a [u8], &'a [u8])>) -> Option<Vec<u8>> {
    if name == URL_PATH {
        let path = joined(":path", all)?;
        return path.split(|byte| *byte == b'?').next().map(<[u8]>::to_vec);
    }
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
