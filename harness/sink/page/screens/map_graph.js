// The map as a drawing: services as boxes from left to right, calls as lines between them. Boxes and labels are links, so that
// everything works by keys, too.
import { html, useRef, useState } from '../core/view.js';
import { hue } from '../core/color.js';
import { Service } from '../parts/panel.js';
import { Figures, words } from '../parts/requests.js';
import { Stage } from '../parts/stage.js';
import { ofEdge, ofNode } from './map_links.js';

export function Graph({ map, drawn, seconds, listed, toggle }) {
  const [told, tell] = useState(null);
  const area = useRef(null);
  const { nodes, edges } = map;
  const near = told === null ? null : touched(map, told);
  const props = (kind, at, more) => ({
    onMouseEnter: () => tell({ kind, at }),
    onMouseLeave: () => tell(null),
    onFocus: () => tell({ kind, at }),
    onBlur: () => tell(null),
    draggable: false,
    ...more,
  });
  const edgeClass = (at) => `${edges[at].errors > 0 ? 'failed' : ''} ${near && !near.edges.has(at) ? 'aside' : ''}`;
  const most = Math.max(...edges.map((it) => it.requests), 1);
  // The line grows with the logarithm: ten times the requests are not ten times the ink.
  const stroke = ({ requests }) => 1.25 + 2.5 * (Math.log1p(requests) / Math.log1p(most));
  return html`<div class="graph" ref=${area}>
    <${Stage} width=${drawn.width} height=${drawn.height} label="Services, callers on the left" keys=${[
      { keys: ['t'], does: 'graph or table', act: toggle },
      { keys: ['j', 'ArrowDown'], does: 'the service below', act: () => step(area.current, drawn, map, 'down') },
      { keys: ['k', 'ArrowUp'], does: 'the service above', act: () => step(area.current, drawn, map, 'up') },
      { keys: ['l', 'ArrowRight'], does: 'whom it calls', act: () => step(area.current, drawn, map, 'right') },
      { keys: ['h', 'ArrowLeft'], does: 'who calls it', act: () => step(area.current, drawn, map, 'left') },
    ]}>
      <svg width=${drawn.width} height=${drawn.height} aria-hidden="true">
        <defs>
          <marker id="tip" viewBox="0 0 8 8" refX="7" refY="4" markerWidth="8" markerHeight="8" markerUnits="userSpaceOnUse" orient="auto-start-reverse"><path d="M0,0.5 L8,4 L0,7.5 Z" /></marker>
          <marker id="bad-tip" viewBox="0 0 8 8" refX="7" refY="4" markerWidth="8" markerHeight="8" markerUnits="userSpaceOnUse" orient="auto-start-reverse"><path class="failed" d="M0,0.5 L8,4 L0,7.5 Z" /></marker>
        </defs>
        ${drawn.edges.map(({ at, points }) => html`<path class="edge ${edgeClass(at)}" d=${curve(points)} stroke-width=${stroke(edges[at])} marker-end=${edges[at].errors > 0 ? 'url(#bad-tip)' : 'url(#tip)'} />`)}
      </svg>
      ${drawn.nodes.map(({ at, x, y }) => {
        const it = nodes[at];
        return html`<a key=${`n${it.service}`} class="node ${it.virtual ? 'virtual' : ''} ${it.errors > 0 ? 'failed' : ''} ${near && !near.nodes.has(it.service) ? 'aside' : ''}"
          data-node=${it.service} data-at=${at} href=${ofNode(map, it, listed)} aria-label="${it.service}${it.virtual ? `, ${it.kind} without spans` : ''}: ${words(it, seconds)}. Its traces"
          style=${{ left: `${x - drawn.node.width / 2}px`, top: `${y - drawn.node.height / 2}px`, width: `${drawn.node.width}px`, height: `${drawn.node.height}px` }} ...${props('node', at)}>
          <${Service} name=${it.service} hue=${hue(it.service)} />
          <span class="line">${it.virtual && html`<em>${it.kind}</em>`}<${Figures} it=${it} seconds=${seconds} /></span>
        </a>`;
      })}
      ${drawn.edges.map(({ at, x, y }) => {
        const it = edges[at];
        return html`<a key=${`e${it.from}\0${it.to}`} class="label ${edgeClass(at)}" data-from=${it.from} data-to=${it.to} href=${ofEdge(map, it, listed)}
          aria-label="${it.from} calls ${it.to}: ${words(it, seconds)}. Its traces" style=${{ left: `${x}px`, top: `${y}px` }} ...${props('edge', at)}><${Figures} it=${it} seconds=${seconds} /></a>`;
      })}
    <//>
    <${Told} map=${map} told=${told} seconds=${seconds} />
  </div>`;
}

/** What the pointer or the focus is on, in words. */
function Told({ map, told, seconds }) {
  if (told === null) return html`<p class="told soft">A service or a call leads to its traces. Drag moves the map, Ctrl and the wheel zoom.</p>`;
  const it = told.kind === 'node' ? map.nodes[told.at] : map.edges[told.at];
  const name = told.kind === 'node' ? html`<bdi>${it.service}</bdi>` : html`<bdi>${it.from}</bdi> → <bdi>${it.to}</bdi>`;
  const more = [];
  if (it.virtual) more.push(`${it.kind} without spans of its own`);
  if (it.alsoNamed) more.push(`its sidecars say ${it.alsoNamed.join(', ')}`);
  if (it.withoutCaller > 0) more.push(`the caller of ${it.withoutCaller} is missing`);
  return html`<p class="told"><b>${name}</b> ${words(it, seconds)}${more.length > 0 ? html`<span class="soft">${`; ${more.join('; ')}`}</span>` : ''}</p>`;
}

/** Returns what belongs to a node or an edge: the rest steps back while it is looked at. */
function touched({ nodes, edges }, { kind, at }) {
  if (kind === 'edge') return { edges: new Set([at]), nodes: new Set([edges[at].from, edges[at].to]) };
  const { service } = nodes[at];
  const own = edges.flatMap((it, nth) => (it.from === service || it.to === service ? [nth] : []));
  return { edges: new Set(own), nodes: new Set([service, ...own.flatMap((nth) => [edges[nth].from, edges[nth].to])]) };
}

/** Returns a smooth line through points. */
function curve(points) {
  const [first, ...rest] = points;
  const all = [`M${first.x},${first.y}`];
  rest.forEach((point, nth) => {
    const before = points[nth];
    const bend = (point.x - before.x) / 2;
    all.push(`C${before.x + bend},${before.y} ${point.x - bend},${point.y} ${point.x},${point.y}`);
  });
  return all.join(' ');
}

/** Moves the focus to the next service in a direction: along calls to the sides, by place up and down. */
function step(area, drawn, { nodes, edges }, way) {
  const at = Number(document.activeElement?.dataset?.at ?? -1);
  const own = drawn.nodes.find((it) => it.at === at);
  const focus = (found) => found && area.querySelector(`[data-at="${found.at}"]`).focus({ preventScroll: true });
  if (!own) {
    focus([...drawn.nodes].sort((a, b) => a.x - b.x || a.y - b.y)[0]);
    return;
  }
  const { service } = nodes[at];
  const calls = new Set(edges.flatMap(({ from, to }) => (way === 'right' && from === service ? [to] : way === 'left' && to === service ? [from] : [])));
  const far = (it) => Math.abs(it.y - own.y) + Math.abs(it.x - own.x) / 4;
  const fits = {
    right: (it) => calls.has(nodes[it.at].service),
    left: (it) => calls.has(nodes[it.at].service),
    down: (it) => it.y > own.y + 1,
    up: (it) => it.y < own.y - 1,
  }[way];
  const near = (it) => (way === 'up' || way === 'down' ? Math.abs(it.x - own.x) * 4 + Math.abs(it.y - own.y) : far(it));
  focus(drawn.nodes.filter((it) => it.at !== at && fits(it)).sort((a, b) => near(a) - near(b))[0]);
}
