// What an empty sink shows: how a first span gets here.
import { html } from '../core/view.js';
import { copy } from '../core/state.js';

export function Empty() {
  const sdk = `OTEL_EXPORTER_OTLP_ENDPOINT=${location.origin} OTEL_EXPORTER_OTLP_PROTOCOL=http/protobuf`;
  // A loopback address leads a sidecar to itself.
  const isLocal = /^(localhost|127\.|\[)/.test(location.hostname);
  const [service, port] = isLocal ? ['sidespan-sink.observability.svc.cluster.local', 4317] : [location.hostname, location.port || 443];
  const plugin = `export: {otlp: {service: ${service}, port: ${port}}}`;
  const line = (name, text) => html`<p>${name}</p><div class="line"><code>${text}</code><button onClick=${() => copy(text, 'line')}>Copy</button></div>`;
  return html`<div class="empty">
    <h2>No spans yet</h2>
    ${line('An SDK sends here with', sdk)}
    ${line('The filter sends to a service of the mesh with, in pluginConfig', plugin)}
    <p class="hint">The first trace shows by itself.</p>
  </div>`;
}
