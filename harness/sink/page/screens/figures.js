// The figures above the list: how many, how many failed, how long, and whose.
import { html } from '../core/view.js';
import { hue } from '../core/color.js';
import { count, duration, exactly } from '../core/time.js';
import { Service } from '../parts/panel.js';

/** `figures` are those of `worker/figures.js`; `filter` narrows the list to a key and a value. */
export function Figures({ figures, filter }) {
  if (!figures) return html`<div class="figures" aria-hidden="true"> </div>`;
  const { traces, failed, p50, p99, services } = figures;
  const time = (name, value) => value !== null && html`<span title="${exactly(value)}"><small>${name}</small> <b data-figure=${name} data-nanos=${value}>${duration(value)}</b></span>`;
  return html`<div class="figures">
    <span><b data-figure="traces">${count(traces)}</b> ${traces === 1 ? 'trace' : 'traces'}</span>
    <button class="quiet ${failed > 0 ? 'bad' : ''}" disabled=${failed === 0} title="Only these" onClick=${() => filter('status', 'error')}><b data-figure="failed">${count(failed)}</b> with errors</button>
    ${time('p50', p50)} ${time('p99', p99)}
    <span class="services">${services.map(
      ([name, traces]) => html`<button class="quiet" key=${name} title="Only traces of ${name}" onClick=${() => filter('service', name)}><${Service} name=${name} hue=${hue(name)} /> ${count(traces)}</button>`,
    )}</span>
  </div>`;
}
