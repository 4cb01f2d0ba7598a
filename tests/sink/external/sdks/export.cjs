// Sends one span over each protocol and compression of OpenTelemetry's SDK; it is told where to, for gRPC and for HTTP.

const { ROOT_CONTEXT, SpanKind, SpanStatusCode, createTraceState, trace } = require('@opentelemetry/api');
const grpc = require('@opentelemetry/exporter-trace-otlp-grpc');
const json = require('@opentelemetry/exporter-trace-otlp-http');
const proto = require('@opentelemetry/exporter-trace-otlp-proto');
const { resourceFromAttributes } = require('@opentelemetry/resources');
const { NodeTracerProvider, SimpleSpanProcessor } = require('@opentelemetry/sdk-trace-node');

const [grpcAddress, httpAddress] = process.argv.slice(2);
const exporters = {
  grpc: (compression) => new grpc.OTLPTraceExporter({ url: `http://${grpcAddress}`, compression }),
  proto: (compression) => new proto.OTLPTraceExporter({ url: `http://${httpAddress}/v1/traces`, compression }),
  json: (compression) => new json.OTLPTraceExporter({ url: `http://${httpAddress}/v1/traces`, compression }),
};
const context = (traceId, spanId, state) => ({
  traceId,
  spanId,
  traceFlags: 1,
  isRemote: true,
  traceState: state && createTraceState(state),
});

(async () => {
  for (const [protocol, exporter] of Object.entries(exporters)) {
    for (const compression of ['none', 'gzip']) {
      const provider = new NodeTracerProvider({
        resource: resourceFromAttributes({ 'service.name': `${protocol}-${compression}` }),
        spanProcessors: [new SimpleSpanProcessor(exporter(compression))],
      });
      const parent = context('0af7651916cd43dd8448eb211c80319c', 'b7ad6b7169203331', 'vendor=a');
      const span = provider.getTracer('corpus', '1.2').startSpan(
        'GET /orders',
        {
          kind: SpanKind.CLIENT,
          attributes: { s: "<b>\x1b[31m'; --", b: true, i: -7, d: 1.5, l: ['a', '日本'] },
          links: [
            {
              context: context('4bf92f3577b34da6a3ce929d0e0e4736', '00f067aa0ba902b7'),
              attributes: { k: true },
            },
          ],
          startTime: [1700000000, 1],
        },
        trace.setSpanContext(ROOT_CONTEXT, parent),
      );
      span.addEvent('retry', { n: 3 }, [1700000000, 2]);
      span.setStatus({ code: SpanStatusCode.ERROR, message: 'boom' });
      span.end([1700000000, 9]);
      await provider.shutdown();
    }
  }
  console.log('sent all');
})();
