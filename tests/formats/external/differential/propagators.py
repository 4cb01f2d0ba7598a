"""What OpenTelemetry's Python propagators make of header sets: one in a line as JSON, one answer in a line.

A value's bytes are the characters up to U+00FF, as WSGI and ASGI servers hand them over.
"""

import json
import logging
import sys

from opentelemetry import trace
from opentelemetry.propagators.aws import AwsXRayPropagator
from opentelemetry.propagators.b3 import B3MultiFormat
from opentelemetry.propagators.cloud_trace_propagator import CloudTraceFormatPropagator
from opentelemetry.propagators.jaeger import JaegerPropagator
from opentelemetry.propagators.ot_trace import OTTracePropagator
from opentelemetry.propagators.textmap import Getter
from opentelemetry.trace.propagation.tracecontext import TraceContextTextMapPropagator

PROPAGATORS = {
    "tracecontext": TraceContextTextMapPropagator(),
    "b3": B3MultiFormat(),
    "b3multi": B3MultiFormat(),
    "jaeger": JaegerPropagator(),
    "xray": AwsXRayPropagator(),
    "ottrace": OTTracePropagator(),
    "gcp": CloudTraceFormatPropagator(),
}


class Headers(Getter):
    """Names without regard to case, all lines of each, as frameworks do it."""

    def get(self, carrier, key):
        return [value for name, value in carrier if name == key.lower()] or None

    def keys(self, carrier):
        return [name for name, _ in carrier]


def answer(case):
    context = PROPAGATORS[case["format"]].extract(case["headers"], getter=Headers())
    span = trace.get_current_span(context).get_span_context()
    if not span.is_valid:
        return None
    return {
        "trace": f"{span.trace_id:032x}",
        "span": f"{span.span_id:016x}",
        "flags": int(span.trace_flags),
        "state": span.trace_state.to_header() if span.trace_state else "",
    }


logging.disable()
for line in sys.stdin:
    print(json.dumps(answer(json.loads(line))))
