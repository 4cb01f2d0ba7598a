// What OpenTelemetry's JavaScript propagators make of header sets: one in a line as JSON, one answer in a line.
// A value's bytes are the characters up to U+00FF, as Node hands them over.

const { createInterface } = require('node:readline');
const api = require('@opentelemetry/api');
const core = require('@opentelemetry/core');
const { B3Propagator, B3InjectEncoding } = require('@opentelemetry/propagator-b3');
const { JaegerPropagator } = require('@opentelemetry/propagator-jaeger');
const { AWSXRayPropagator } = require('@opentelemetry/propagator-aws-xray');
const { OTTracePropagator } = require('@opentelemetry/propagator-ot-trace');

// It warns that it is deprecated, which is known.
process.removeAllListeners('warning');
const { CloudPropagator } = require('@google-cloud/opentelemetry-cloud-trace-propagator');

const b3 = new B3Propagator();
const b3multi = new B3Propagator({ injectEncoding: B3InjectEncoding.MULTI_HEADER });
const propagators = {
  tracecontext: new core.W3CTraceContextPropagator(),
  b3,
  b3multi,
  jaeger: new JaegerPropagator(),
  xray: new AWSXRayPropagator(),
  ottrace: new OTTracePropagator(),
  gcp: new CloudPropagator(),
};

// Of several lines all, of one its value, as Node's `headersDistinct` and `headers` do between them.
const getter = {
  get(carrier, key) {
    const values = carrier.filter(([name]) => name === key).map(([, value]) => value);
    return values.length > 1 ? values : values[0];
  },
  keys: (carrier) => carrier.map(([name]) => name),
};

// Debug has no place in a span context; it shows when the context is written again.
function isDebug(context) {
  const written = {};
  for (const propagator of [b3, b3multi]) {
    propagator.inject(context, written, api.defaultTextMapSetter);
  }
  return written['x-b3-flags'] === '1' || written.b3.endsWith('-d');
}

function answer({ format, headers }) {
  const context = propagators[format].extract(api.ROOT_CONTEXT, headers, getter);
  const span = api.trace.getSpanContext(context);
  if (!span || !api.isSpanContextValid(span)) {
    return null;
  }
  return {
    trace: span.traceId.toLowerCase(),
    span: span.spanId.toLowerCase(),
    flags: span.traceFlags,
    state: span.traceState ? span.traceState.serialize() : '',
    debug: format.startsWith('b3') ? isDebug(context) : undefined,
  };
}

createInterface({ input: process.stdin }).on('line', (line) => {
  process.stdout.write(`${JSON.stringify(answer(JSON.parse(line)))}\n`);
});
