//! The request frame: the bytes of resource and scope around the spans of a request, the same for all requests of a worker.

use alloc::vec::Vec;

use crate::codec::protobuf;
use crate::semconv::resource::Resource;
use crate::span::wire::attribute;

/// The request frame of a worker: its resource and its scope, encoded.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct RequestFrame {
    resource: Vec<u8>,
    scope: Vec<u8>,
    schema_url: &'static str,
}

impl RequestFrame {
    /// Encodes the resource, and the scope with its name, its version and the digest of the configuration. `schema_url` is
    /// empty where the attributes are of no one version of the conventions.
    pub fn new(
        resource: &Resource,
        scope_name: &str,
        scope_version: &str,
        digest: &str,
        schema_url: &'static str,
    ) -> Self {
        let mut encoded_resource = Vec::new();
        protobuf::message(&mut encoded_resource, RESOURCE_SPANS_RESOURCE, 2, |out| {
            for (key, value) in resource.iter() {
                attribute(out, RESOURCE_ATTRIBUTES, key, value.as_bytes());
            }
        });
        let mut scope = Vec::new();
        protobuf::message(&mut scope, SCOPE_SPANS_SCOPE, 1, |out| {
            protobuf::bytes(out, SCOPE_NAME, scope_name.as_bytes());
            protobuf::bytes(out, SCOPE_VERSION, scope_version.as_bytes());
            attribute(
                out,
                SCOPE_ATTRIBUTES,
                "sidespan.configuration",
                digest.as_bytes(),
            );
        });
        Self {
            resource: encoded_resource,
            scope,
            schema_url,
        }
    }

    /// Returns the upper bound of the bytes in front of the spans.
    pub fn header_room(&self) -> usize {
        self.resource
            .len()
            .saturating_add(self.scope.len())
            .saturating_add(FRONT_OVERHEAD_BYTES)
    }

    /// Returns the exact number of bytes behind the spans.
    pub fn trailer_room(&self) -> usize {
        self.schema_url_bytes().saturating_mul(2)
    }

    // The bytes of one of two fields, because resource and scope each have a schema URL.
    fn schema_url_bytes(&self) -> usize {
        match self.schema_url.len() {
            0 => 0,
            length => protobuf::field_bytes(length),
        }
    }

    /// Writes the frame around the spans of a request, and returns the position where the message starts. The spans start at
    /// `spans_at`, with at least [`Self::header_room`] in front of them.
    pub fn complete(&self, request: &mut Vec<u8>, spans_at: usize) -> usize {
        let schema_url = self.schema_url.as_bytes();
        let spans_bytes = request.len().saturating_sub(spans_at);
        let scope_spans_bytes = self
            .scope
            .len()
            .saturating_add(spans_bytes)
            .saturating_add(self.schema_url_bytes());
        let mut front = Vec::with_capacity(self.header_room());
        front.extend_from_slice(&self.resource);
        protobuf::header(&mut front, RESOURCE_SPANS_SCOPE_SPANS, scope_spans_bytes);
        front.extend_from_slice(&self.scope);
        let resource_spans_bytes = front
            .len()
            .saturating_add(spans_bytes)
            .saturating_add(self.trailer_room());
        let mut tag = Vec::new();
        protobuf::header(&mut tag, REQUEST_RESOURCE_SPANS, resource_spans_bytes);
        front.splice(..0, tag);
        protobuf::bytes(request, SCOPE_SPANS_SCHEMA_URL, schema_url);
        protobuf::bytes(request, RESOURCE_SPANS_SCHEMA_URL, schema_url);
        let at = spans_at.saturating_sub(front.len());
        if let Some(place) = request.get_mut(at..spans_at)
            && place.len() == front.len()
        {
            place.copy_from_slice(&front);
        }
        at
    }
}

const REQUEST_RESOURCE_SPANS: u64 = 1;
const RESOURCE_SPANS_RESOURCE: u64 = 1;
const RESOURCE_SPANS_SCOPE_SPANS: u64 = 2;
const RESOURCE_SPANS_SCHEMA_URL: u64 = 3;
const RESOURCE_ATTRIBUTES: u64 = 1;
const SCOPE_SPANS_SCOPE: u64 = 1;
const SCOPE_SPANS_SCHEMA_URL: u64 = 3;
const SCOPE_NAME: u64 = 1;
const SCOPE_VERSION: u64 = 2;
const SCOPE_ATTRIBUTES: u64 = 3;
/// The size of two tags, with lengths of at most ten bytes.
const FRONT_OVERHEAD_BYTES: usize = 22;
