// The figures of requests, as the map says them: how often, how many failed, how long.
import { html } from '../core/view.js';
import { count, counted, duration, exactly } from '../core/time.js';

/** Returns requests over seconds as a rate, `12/s` or `3.2/min`; under a second, where a rate says nothing, `3×`. */
export function rate(requests, seconds) {
  if (seconds < 1) return `${count(requests)}×`;
  const [value, unit] = requests / seconds >= 1 ? [requests / seconds, 's'] : [(60 * requests) / seconds, 'min'];
  const digits = value >= 9.95 || Number.isInteger(value) ? 0 : value >= 0.1 ? 1 : 2;
  return `${value >= 1000 ? count(Math.round(value)) : value.toFixed(digits)}/${unit}`;
}

/** Returns the share of the requests that failed, `8.3 %`; empty for none. */
export function share({ requests, errors }) {
  if (errors === 0) return '';
  const percent = (100 * errors) / requests;
  return `${percent >= 9.95 || Number.isInteger(percent) ? Math.round(percent) : percent.toFixed(1)} %`;
}

/** Returns all figures in words. */
export function words(it, seconds) {
  const parts = [counted(it.requests, 'request')];
  if (seconds >= 1) parts.push(rate(it.requests, seconds));
  parts.push(it.errors > 0 ? `${count(it.errors)} failed, ${share(it)}` : 'none failed');
  if (it.p50Nano !== null) parts.push(`p50 ${duration(Number(it.p50Nano))}, p99 ${duration(Number(it.p99Nano))}`);
  if (it.tries > it.requests) parts.push(`${counted(it.tries, 'try').replace('trys', 'tries')}`);
  if (it.weighted > 0 && Math.round(it.weighted) !== it.requests) parts.push(`sampled from about ${count(Math.round(it.weighted))}`);
  return parts.join(', ');
}

/** The three figures in a line. */
export function Figures({ it, seconds }) {
  return html`<span class="rate">${rate(it.requests, seconds)}</span>
    ${it.errors > 0 && html`<span class="bad">! ${share(it)}</span>`}
    ${it.p99Nano !== null && html`<span class="slow" title="p99: ${exactly(Number(it.p99Nano))}">${duration(Number(it.p99Nano))}</span>`}`;
}
