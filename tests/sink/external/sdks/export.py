"""Sends one span over each protocol and compression of OpenTelemetry's SDK; it is told where to, for gRPC and for HTTP."""

import sys

import grpc
from opentelemetry import trace
from opentelemetry.exporter.otlp.proto.grpc.trace_exporter import OTLPSpanExporter as GrpcExporter
from opentelemetry.exporter.otlp.proto.http import Compression
from opentelemetry.exporter.otlp.proto.http.trace_exporter import OTLPSpanExporter as HttpExporter
from opentelemetry.sdk.resources import Resource
from opentelemetry.sdk.trace import TracerProvider
from opentelemetry.sdk.trace.export import SimpleSpanProcessor
from opentelemetry.trace import Link, NonRecordingSpan, SpanContext, SpanKind, Status, StatusCode, TraceFlags, TraceState

grpc_address, http_address = sys.argv[1:]


def over_grpc(compression):
    return GrpcExporter(endpoint=f"http://{grpc_address}", insecure=True, compression=compression)


def over_http(compression):
    return HttpExporter(endpoint=f"http://{http_address}/v1/traces", compression=compression)


def context(trace_id, span_id, state=None):
    return SpanContext(int(trace_id, 16), int(span_id, 16), True, TraceFlags(1), TraceState(state or []))


for name, exporter in {
    "grpc-none": over_grpc(grpc.Compression.NoCompression),
    "grpc-gzip": over_grpc(grpc.Compression.Gzip),
    "http-none": over_http(Compression.NoCompression),
    "http-gzip": over_http(Compression.Gzip),
    "http-deflate": over_http(Compression.Deflate),
}.items():
    provider = TracerProvider(resource=Resource.create({"service.name": name}))
    provider.add_span_processor(SimpleSpanProcessor(exporter))
    parent = context("0af7651916cd43dd8448eb211c80319c", "b7ad6b7169203331", [("vendor", "a")])
    span = provider.get_tracer("corpus", "1.2").start_span(
        "GET /orders",
        context=trace.set_span_in_context(NonRecordingSpan(parent)),
        kind=SpanKind.CLIENT,
        attributes={"s": "<b>\x1b[31m'; --", "b": True, "i": -7, "d": 1.5, "l": ["a", "日本"]},
        links=[Link(context("4bf92f3577b34da6a3ce929d0e0e4736", "00f067aa0ba902b7"), {"k": True})],
        start_time=1_700_000_000_000_000_001,
    )
    span.add_event("retry", {"n": 3}, timestamp=1_700_000_000_000_000_002)
    span.set_status(Status(StatusCode.ERROR, "boom"))
    span.end(end_time=1_700_000_000_000_000_009)
    provider.shutdown()
print("sent all", flush=True)
