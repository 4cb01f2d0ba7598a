// The bar of a row: light while a span waits for those below it, filled while it works itself, underlined where the whole waits for it.
import { html } from '../core/view.js';
import { hue } from '../core/color.js';
import { duration, exactly } from '../core/time.js';
import { MISSING_PARENT } from './model.js';

/** The most parts of a bar, because more are not told apart. */
const MOST = 24;

/** Returns the parts of a node's list within a stretch, joined where the gap is less than a pixel or so. */
function parts(at, times, node, from, to) {
  const all = [];
  const least = (to - from) / 800;
  for (let part = at[node]; part < at[node + 1] && all.length < MOST; part++) {
    const begin = Math.max(times[2 * part], from);
    const end = Math.min(times[2 * part + 1], to);
    if (end <= begin) continue;
    const last = all.at(-1);
    if (last && Math.abs(begin - last[1]) < least) last[1] = end;
    else all.push([begin, end]);
  }
  return all;
}

/** `from` and `to` are the shown stretch; a joined hop has the server's bar within the client's. */
export function Bar({ trace, node, joined, from, to }) {
  const width = to - from;
  const place = (begin, end) => {
    const left = Math.max((begin - from) / width, 0);
    const right = Math.min((end - from) / width, 1);
    return { left: `${100 * left}%`, width: `max(2px, ${100 * Math.max(right - left, 0)}%)` };
  };
  const [start, stop] = [trace.start[node], trace.stop[node]];
  if (stop < from || start > to) return html`<small class="beyond">${start > to ? '›' : '‹'}</small>`;
  const told = joined ? node + 1 : node;
  const inner = place(trace.start[told], trace.stop[told]);
  const service = trace.service[told] >= 0 ? trace.services[trace.service[told]] : '';
  const shade = { '--hue': hue(service) };
  const long = stop - start;
  if (trace.top[node] === MISSING_PARENT) return html`<i class="bar lost" style=${place(start, stop)}></i>`;
  const network = joined ? long - (trace.stop[told] - trace.start[told]) : 0;
  const path = joined ? [...parts(trace.pathAt, trace.pathTimes, node, from, to), ...parts(trace.pathAt, trace.pathTimes, told, from, to)] : parts(trace.pathAt, trace.pathTimes, node, from, to);
  const shown = Math.min(stop, to);
  const isLate = (shown - from) / width > 0.75;
  const own = trace.self[told] + (joined ? trace.self[node] : 0);
  const told_ = `${exactly(long)}, of which itself ${exactly(own)}${network > 0 ? `, on the way ${exactly(network)}` : ''}`;
  return html`${joined && html`<i class="bar client" style=${{ ...place(start, stop), ...shade }}></i>`}
    <i class="bar" style=${{ ...inner, ...shade }} title=${told_}></i>
    ${parts(trace.ownAt, trace.ownTimes, told, from, to).map(([begin, end]) => html`<i class="own" style=${{ ...place(begin, end), ...shade }}></i>`)}
    ${path.map(([begin, end]) => html`<i class="path" style=${place(begin, end)}></i>`)}
    ${moments(trace, node, told, from, to).map((at) => html`<i class="moment" style=${{ left: `${(100 * (at - from)) / width}%` }}></i>`)}
    <small class="took" style=${{ left: `calc(${(100 * (shown - from)) / width}% + 6px)` }}>${duration(long)}${network > long * 0.02 && network > 1e5 && !isLate ? html`<span class="network">${` · network ${duration(network)}`}</span>` : ''}</small>`;
}

const index = new WeakMap();

/** Returns the moments of a row's events, few enough to be seen. */
function moments(trace, node, told, from, to) {
  let byNode = index.get(trace);
  if (!byNode) {
    byNode = new Map();
    for (let at = 0; at < trace.moments.length; at += 2) {
      const of = trace.moments[at];
      if (!byNode.has(of)) byNode.set(of, []);
      byNode.get(of).push(trace.moments[at + 1]);
    }
    index.set(trace, byNode);
  }
  const all = node === told ? (byNode.get(node) ?? []) : [...(byNode.get(node) ?? []), ...(byNode.get(told) ?? [])];
  return all.filter((at) => at >= from && at <= to).slice(0, MOST);
}
