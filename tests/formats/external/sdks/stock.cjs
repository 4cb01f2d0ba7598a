// Service B: answers by Node's HTTP server, asks somebody else by its client, both instrumented, and speaks B3 in several
// headers alone.
//
// It is told where to export to, and then by a line of its input where its own sidecar takes calls.

const { context, trace } = require('@opentelemetry/api');
const { OTLPTraceExporter } = require('@opentelemetry/exporter-trace-otlp-proto');
const { registerInstrumentations } = require('@opentelemetry/instrumentation');
const { HttpInstrumentation } = require('@opentelemetry/instrumentation-http');
const { B3InjectEncoding, B3Propagator } = require('@opentelemetry/propagator-b3');
const { resourceFromAttributes } = require('@opentelemetry/resources');
const { BatchSpanProcessor, NodeTracerProvider } = require('@opentelemetry/sdk-trace-node');

const exporter = new OTLPTraceExporter({ url: process.argv[2] });
const provider = new NodeTracerProvider({
  resource: resourceFromAttributes({ 'service.name': 'stock' }),
  spanProcessors: [new BatchSpanProcessor(exporter, { scheduledDelayMillis: 20 })],
});
provider.register({
  propagator: new B3Propagator({ injectEncoding: B3InjectEncoding.MULTI_HEADER }),
});
registerInstrumentations({ instrumentations: [new HttpInstrumentation()] });

// Only what is loaded from here on is instrumented.
const http = require('node:http');

const outbound = new Promise((resolve) => {
  require('node:readline').createInterface({ input: process.stdin }).once('line', resolve);
});
const say = (what) => process.stdout.write(JSON.stringify(what) + '\n');

const server = http.createServer(async (request, response) => {
  const { traceId } = trace.getSpan(context.active()).spanContext();
  say({ path: request.url, trace: traceId });
  http.get(`http://${await outbound}${request.url}`, (answer) => {
    response.statusCode = answer.statusCode;
    answer.resume().on('end', () => response.end());
  });
});
server.listen(0, '127.0.0.1', () => say({ port: server.address().port }));
