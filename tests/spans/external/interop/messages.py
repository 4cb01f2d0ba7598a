"""Reads export requests, one a line as protocol and hexadecimal body, into OpenTelemetry's own types, and says of every
span what it is. Whatever the types or OTLP do not allow ends it.
"""

import json
import struct
import sys
import time

from opentelemetry.proto.collector.trace.v1.trace_service_pb2 import ExportTraceServiceRequest
from opentelemetry.proto.trace.v1.trace_pb2 import Span, Status

HOUR = 3_600_000_000_000


def message(protocol, body):
    if protocol == "grpc":
        compressed, length = struct.unpack(">BI", body[:5])
        assert (compressed, length) == (0, len(body) - 5), body[:5]
        body = body[5:]
    return body


def check_id(value, length):
    assert len(value) == length and any(value), value


def check_attributes(attributes):
    keys = [attribute.key for attribute in attributes]
    assert all(keys) and len(set(keys)) == len(keys), keys
    for attribute in attributes:
        assert attribute.value.WhichOneof("value"), attribute


def check(span):
    check_id(span.trace_id, 16)
    check_id(span.span_id, 8)
    if span.parent_span_id:
        check_id(span.parent_span_id, 8)
        assert span.parent_span_id != span.span_id
    assert span.name
    assert span.kind in (Span.SPAN_KIND_SERVER, Span.SPAN_KIND_CLIENT), span.kind
    now = time.time_ns()
    assert now - HOUR < span.start_time_unix_nano <= span.end_time_unix_nano < now + HOUR, span
    assert span.status.code in (Status.STATUS_CODE_UNSET, Status.STATUS_CODE_ERROR)
    # The two bits about the parent are known, no other above the eight of W3C is set.
    assert span.flags & ~0xFF in (0x100, 0x300), hex(span.flags)
    check_attributes(span.attributes)
    for link in span.links:
        check_id(link.trace_id, 16)
        check_id(link.span_id, 8)
        check_attributes(link.attributes)


for line in sys.stdin:
    protocol, digits = line.split()
    body = message(protocol, bytes.fromhex(digits))
    # Refuses strings that are no UTF-8.
    request = ExportTraceServiceRequest.FromString(body)
    again = request.SerializeToString(deterministic=True)
    assert ExportTraceServiceRequest.FromString(again) == request
    for resource_spans in request.resource_spans:
        check_attributes(resource_spans.resource.attributes)
        for scope_spans in resource_spans.scope_spans:
            assert scope_spans.scope.name == "sidespan", scope_spans.scope
            assert scope_spans.spans
            for span in scope_spans.spans:
                check(span)
                attributes = {a.key: a.value.string_value for a in span.attributes}
                say = {
                    "protocol": protocol,
                    "same bytes": again == body,
                    "kind": Span.SpanKind.Name(span.kind),
                    "status": Status.StatusCode.Name(span.status.code),
                    "root": not span.parent_span_id,
                    "links": len(span.links),
                    "state": span.trace_state,
                    "agent": attributes.get("user_agent.original"),
                    "team": attributes.get("team"),
                }
                print(json.dumps(say))
