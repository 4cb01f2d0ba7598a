//! The reader of OTLP in JSON.

use opentelemetry_proto::tonic::collector::trace::v1::ExportTraceServiceRequest;
use opentelemetry_proto::tonic::common::v1::any_value::Value as Any;
use opentelemetry_proto::tonic::common::v1::{
    AnyValue, ArrayValue, EntityRef, InstrumentationScope, KeyValue, KeyValueList,
};
use opentelemetry_proto::tonic::resource::v1::Resource;
use opentelemetry_proto::tonic::trace::v1::{ResourceSpans, ScopeSpans, Span, Status, span};
use serde_json::Value;

use super::reader::{JsonError, Key, Read, Reader, Warnings};

/// Reads a request.
///
/// # Errors
/// [`JsonError`] when the text is not JSON, nested deeper than 127 levels, or not of the types of OTLP.
pub fn read_request(json: &[u8]) -> Result<(ExportTraceServiceRequest, Warnings), JsonError> {
    let value = serde_json::from_slice(json).map_err(|error| JsonError {
        path: "$".to_owned(),
        problem: error.to_string(),
    })?;
    let mut reader = Reader::default();
    let mut request = ExportTraceServiceRequest::default();
    reader.object(value, |reader, key, value| {
        match key {
            "resourceSpans" => {
                request.resource_spans = reader.list(value, Reader::resource_spans)?
            }
            _ => return Ok(Key::Unknown),
        }
        Ok(Key::Known)
    })?;
    Ok((request, reader.warnings))
}

impl Reader {
    fn resource_spans(&mut self, value: Value) -> Read<ResourceSpans> {
        let mut read = ResourceSpans::default();
        self.object(value, |reader, key, value| {
            match key {
                "resource" => read.resource = reader.optional(value, Self::resource)?,
                "scopeSpans" => read.scope_spans = reader.list(value, Self::scope_spans)?,
                "schemaUrl" => read.schema_url = reader.text(value)?,
                _ => return Ok(Key::Unknown),
            }
            Ok(Key::Known)
        })?;
        Ok(read)
    }

    fn resource(&mut self, value: Value) -> Read<Resource> {
        let mut read = Resource::default();
        self.object(value, |reader, key, value| {
            match key {
                "attributes" => read.attributes = reader.list(value, Self::key_value)?,
                "droppedAttributesCount" => read.dropped_attributes_count = reader.u32(&value)?,
                "entityRefs" => read.entity_refs = reader.list(value, Self::entity_ref)?,
                _ => return Ok(Key::Unknown),
            }
            Ok(Key::Known)
        })?;
        Ok(read)
    }

    fn entity_ref(&mut self, value: Value) -> Read<EntityRef> {
        let mut read = EntityRef::default();
        self.object(value, |reader, key, value| {
            match key {
                "schemaUrl" => read.schema_url = reader.text(value)?,
                "type" => read.r#type = reader.text(value)?,
                "idKeys" => read.id_keys = reader.list(value, Self::text)?,
                "descriptionKeys" => read.description_keys = reader.list(value, Self::text)?,
                _ => return Ok(Key::Unknown),
            }
            Ok(Key::Known)
        })?;
        Ok(read)
    }

    fn scope_spans(&mut self, value: Value) -> Read<ScopeSpans> {
        let mut read = ScopeSpans::default();
        self.object(value, |reader, key, value| {
            match key {
                "scope" => read.scope = reader.optional(value, Self::scope)?,
                "spans" => read.spans = reader.list(value, Self::span)?,
                "schemaUrl" => read.schema_url = reader.text(value)?,
                _ => return Ok(Key::Unknown),
            }
            Ok(Key::Known)
        })?;
        Ok(read)
    }

    fn scope(&mut self, value: Value) -> Read<InstrumentationScope> {
        let mut read = InstrumentationScope::default();
        self.object(value, |reader, key, value| {
            match key {
                "name" => read.name = reader.text(value)?,
                "version" => read.version = reader.text(value)?,
                "attributes" => read.attributes = reader.list(value, Self::key_value)?,
                "droppedAttributesCount" => read.dropped_attributes_count = reader.u32(&value)?,
                _ => return Ok(Key::Unknown),
            }
            Ok(Key::Known)
        })?;
        Ok(read)
    }

    fn span(&mut self, value: Value) -> Read<Span> {
        let mut read = Span::default();
        self.object(value, |reader, key, value| {
            match key {
                "traceId" => read.trace_id = reader.id(value, 16)?,
                "spanId" => read.span_id = reader.id(value, 8)?,
                "traceState" => read.trace_state = reader.text(value)?,
                "parentSpanId" => read.parent_span_id = reader.id(value, 8)?,
                "flags" => read.flags = reader.u32(&value)?,
                "name" => read.name = reader.text(value)?,
                "kind" => read.kind = reader.enumeration(&value, &KINDS)?,
                "startTimeUnixNano" => read.start_time_unix_nano = reader.u64(&value)?,
                "endTimeUnixNano" => read.end_time_unix_nano = reader.u64(&value)?,
                "attributes" => read.attributes = reader.list(value, Self::key_value)?,
                "droppedAttributesCount" => read.dropped_attributes_count = reader.u32(&value)?,
                "events" => read.events = reader.list(value, Self::event)?,
                "droppedEventsCount" => read.dropped_events_count = reader.u32(&value)?,
                "links" => read.links = reader.list(value, Self::link)?,
                "droppedLinksCount" => read.dropped_links_count = reader.u32(&value)?,
                "status" => read.status = reader.optional(value, Self::status)?,
                _ => return Ok(Key::Unknown),
            }
            Ok(Key::Known)
        })?;
        Ok(read)
    }

    fn event(&mut self, value: Value) -> Read<span::Event> {
        let mut read = span::Event::default();
        self.object(value, |reader, key, value| {
            match key {
                "timeUnixNano" => read.time_unix_nano = reader.u64(&value)?,
                "name" => read.name = reader.text(value)?,
                "attributes" => read.attributes = reader.list(value, Self::key_value)?,
                "droppedAttributesCount" => read.dropped_attributes_count = reader.u32(&value)?,
                _ => return Ok(Key::Unknown),
            }
            Ok(Key::Known)
        })?;
        Ok(read)
    }

    fn link(&mut self, value: Value) -> Read<span::Link> {
        let mut read = span::Link::default();
        self.object(value, |reader, key, value| {
            match key {
                "traceId" => read.trace_id = reader.id(value, 16)?,
                "spanId" => read.span_id = reader.id(value, 8)?,
                "traceState" => read.trace_state = reader.text(value)?,
                "attributes" => read.attributes = reader.list(value, Self::key_value)?,
                "droppedAttributesCount" => read.dropped_attributes_count = reader.u32(&value)?,
                "flags" => read.flags = reader.u32(&value)?,
                _ => return Ok(Key::Unknown),
            }
            Ok(Key::Known)
        })?;
        Ok(read)
    }

    fn status(&mut self, value: Value) -> Read<Status> {
        let mut read = Status::default();
        self.object(value, |reader, key, value| {
            match key {
                "message" => read.message = reader.text(value)?,
                "code" => read.code = reader.enumeration(&value, &CODES)?,
                _ => return Ok(Key::Unknown),
            }
            Ok(Key::Known)
        })?;
        Ok(read)
    }

    fn key_value(&mut self, value: Value) -> Read<KeyValue> {
        let mut read = KeyValue::default();
        self.object(value, |reader, key, value| {
            match key {
                "key" => read.key = reader.text(value)?,
                "value" => read.value = reader.optional(value, Self::any_value)?,
                "keyStrindex" => read.key_strindex = reader.i32(&value)?,
                _ => return Ok(Key::Unknown),
            }
            Ok(Key::Known)
        })?;
        Ok(read)
    }

    fn any_value(&mut self, value: Value) -> Read<AnyValue> {
        let mut read = None;
        self.object(value, |reader, key, value| {
            // An absent value of one type must not remove the value of another.
            let is_null = value.is_null();
            let any = match key {
                "stringValue" => Any::StringValue(reader.text(value)?),
                "boolValue" => Any::BoolValue(reader.truth(&value)?),
                "intValue" => Any::IntValue(reader.i64(&value)?),
                "doubleValue" => Any::DoubleValue(reader.double(&value)?),
                "arrayValue" => Any::ArrayValue(reader.array_value(value)?),
                "kvlistValue" => Any::KvlistValue(reader.key_value_list(value)?),
                "bytesValue" => Any::BytesValue(reader.bytes(value)?),
                "stringValueStrindex" => Any::StringValueStrindex(reader.i32(&value)?),
                _ => return Ok(Key::Unknown),
            };
            if !is_null {
                read = Some(any);
            }
            Ok(Key::Known)
        })?;
        Ok(AnyValue { value: read })
    }

    fn array_value(&mut self, value: Value) -> Read<ArrayValue> {
        let mut read = ArrayValue::default();
        self.object(value, |reader, key, value| {
            match key {
                "values" => read.values = reader.list(value, Self::any_value)?,
                _ => return Ok(Key::Unknown),
            }
            Ok(Key::Known)
        })?;
        Ok(read)
    }

    fn key_value_list(&mut self, value: Value) -> Read<KeyValueList> {
        let mut read = KeyValueList::default();
        self.object(value, |reader, key, value| {
            match key {
                "values" => read.values = reader.list(value, Self::key_value)?,
                _ => return Ok(Key::Unknown),
            }
            Ok(Key::Known)
        })?;
        Ok(read)
    }
}

const KINDS: [&str; 6] = [
    "SPAN_KIND_UNSPECIFIED",
    "SPAN_KIND_INTERNAL",
    "SPAN_KIND_SERVER",
    "SPAN_KIND_CLIENT",
    "SPAN_KIND_PRODUCER",
    "SPAN_KIND_CONSUMER",
];

const CODES: [&str; 3] = ["STATUS_CODE_UNSET", "STATUS_CODE_OK", "STATUS_CODE_ERROR"];
