"""Service A: answers by WSGI, asks service B by `requests`, both instrumented, and speaks W3C Trace Context alone.

It is told where to export to, and then by a line of its input where its own sidecar takes calls.
"""

import json
import sys
from wsgiref.simple_server import WSGIRequestHandler, make_server

import requests
from opentelemetry import propagate, trace
from opentelemetry.exporter.otlp.proto.http.trace_exporter import OTLPSpanExporter
from opentelemetry.instrumentation.requests import RequestsInstrumentor
from opentelemetry.instrumentation.wsgi import OpenTelemetryMiddleware
from opentelemetry.sdk.resources import Resource
from opentelemetry.sdk.trace import TracerProvider
from opentelemetry.sdk.trace.export import BatchSpanProcessor
from opentelemetry.trace.propagation.tracecontext import TraceContextTextMapPropagator

exporter = OTLPSpanExporter(endpoint=sys.argv[1])
provider = TracerProvider(resource=Resource.create({"service.name": "cart"}))
provider.add_span_processor(BatchSpanProcessor(exporter, schedule_delay_millis=20))
trace.set_tracer_provider(provider)
propagate.set_global_textmap(TraceContextTextMapPropagator())
RequestsInstrumentor().instrument()


def say(**what):
    print(json.dumps(what), flush=True)


class Quiet(WSGIRequestHandler):
    def log_message(self, *_):
        pass


def cart(environ, start_response):
    context = trace.get_current_span().get_span_context()
    say(path=environ["PATH_INFO"], trace=trace.format_trace_id(context.trace_id))
    answer = requests.get(f"http://{outbound}{environ['PATH_INFO']}", timeout=20)
    start_response(f"{answer.status_code} Answered", [("content-length", "0")])
    return [b""]


server = make_server("127.0.0.1", 0, OpenTelemetryMiddleware(cart), handler_class=Quiet)
say(port=server.server_port)
outbound = sys.stdin.readline().strip()
server.serve_forever()
