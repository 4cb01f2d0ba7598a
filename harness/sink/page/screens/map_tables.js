// The map as two tables, for narrow pages, screen readers, and whoever looks for numbers.
import { html } from '../core/view.js';
import { hue } from '../core/color.js';
import { count, duration, exactly } from '../core/time.js';
import { useKeys } from '../parts/keys.js';
import { Service } from '../parts/panel.js';
import { rate, share } from '../parts/requests.js';
import { ofEdge, ofNode } from './map_links.js';

const time = (name, nanos) => html`<td class="number ${name}" data-figure=${name} data-nanos=${nanos ?? ''} title=${nanos === null ? '' : exactly(Number(nanos))}>${nanos === null ? '' : duration(Number(nanos))}</td>`;

function Numbers({ it, seconds }) {
  return html`<td class="number" data-figure="requests" data-count=${it.requests} title=${count(it.requests)}>${count(it.requests)}</td>
    <td class="number rate">${seconds < 1 ? '' : rate(it.requests, seconds)}</td>
    <td class="number ${it.errors > 0 ? 'bad' : ''}" data-figure="errors" data-count=${it.errors}>${it.errors > 0 ? `! ${count(it.errors)}, ${share(it)}` : '0'}</td>
    ${time('p50', it.p50Nano)}${time('p99', it.p99Nano)}`;
}

const HEADS = ['requests', 'rate', 'errors', 'p50', 'p99'];
const heads = HEADS.map((name) => html`<th scope="col" class="number ${name}">${name}</th>`);

export function Tables({ map, seconds, listed, toggle }) {
  useKeys([{ keys: ['t'], does: 'graph or table', act: toggle }]);
  return html`<div class="tables" tabindex="0" role="region" aria-label="The map as tables">
    <table>
      <caption>Services</caption>
      <thead><tr><th scope="col">service</th>${heads}</tr></thead>
      <tbody>${map.nodes.map((it) => html`<tr key=${it.service} data-node=${it.service}>
        <th scope="row"><a href=${ofNode(map, it, listed)}><${Service} name=${it.service} hue=${hue(it.service)} /></a>${it.virtual && html` <small>${it.kind}</small>`}</th>
        <${Numbers} it=${it} seconds=${seconds} />
      </tr>`)}</tbody>
    </table>
    <table>
      <caption>Calls, each request once</caption>
      <thead><tr><th scope="col">from, to</th>${heads}</tr></thead>
      <tbody>${map.edges.map((it) => html`<tr key=${`${it.from}\0${it.to}`} data-from=${it.from} data-to=${it.to}>
        <th scope="row"><a href=${ofEdge(map, it, listed)}><${Service} name=${it.from} hue=${hue(it.from)} /> → <${Service} name=${it.to} hue=${hue(it.to)} /></a>${it.tries > it.requests && html` <small data-figure="tries" data-count=${it.tries}>${count(it.tries)} tries</small>`}</th>
        <${Numbers} it=${it} seconds=${seconds} />
      </tr>`)}</tbody>
    </table>
  </div>`;
}
