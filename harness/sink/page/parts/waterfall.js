// The rows of a trace: a tree of spans on one axis of time, of which only those in sight are in the document.
import { html, useEffect, useRef } from '../core/view.js';
import { hue } from '../core/color.js';
import { isNarrow } from '../core/width.js';
import { duration, exactly, ticks } from '../core/time.js';
import { Bar } from './bar.js';
import { dragTime } from './minimap.js';
import { ERROR, IN_CIRCLE, KEPT, MISSING_PARENT, ORIGIN, REPEATED, hasBelow, isJoined, kindOf, zoomed } from './model.js';
import { Service } from './panel.js';
import { useRows } from './rows.js';

/** What the rows call: `choose(node)`, `fold(node)`, `open(node)` of a hop, `zoom([from, to])`. */
export function Waterfall({ trace, shown, chosen, found, marks, fold, time, act, view, controls }) {
  const scroller = useRef(null);
  const height = isNarrow.value ? 44 : 24;
  const { items, total, reveal } = useRows(scroller, shown.nodes.length, height, { overscan: 10 });
  controls.current = { reveal, focus: () => scroller.current?.focus({ preventScroll: true }) };
  const [from, to] = time;

  useEffect(() => {
    const element = scroller.current;
    // Not by a property, because the browser would zoom the page before it is told not to.
    const wheel = (event) => {
      if (!event.ctrlKey) return;
      event.preventDefault();
      const lane = element.querySelector('.axis').getBoundingClientRect();
      const share = Math.min(Math.max((event.clientX - lane.left) / lane.width, 0), 1);
      const [from, to] = act.time();
      act.zoom(zoomed([from, to], event.deltaY > 0 ? 1.25 : 0.8, from + share * (to - from), trace.length));
    };
    element.addEventListener('wheel', wheel, { passive: false });
    return () => element.removeEventListener('wheel', wheel);
  }, [trace]);

  const axisPressed = (event) => {
    const { left, width } = event.currentTarget.getBoundingClientRect();
    const [begin, end] = time;
    const moment = ({ clientX }) => begin + Math.min(Math.max((clientX - left) / width, 0), 1) * (end - begin);
    dragTime(event, moment, (a, b) => b - a > (end - begin) / 100 && act.zoom([a, b]));
  };
  const row = shown.nodes[shown.rowOf[chosen]];
  return html`<div class="waterfall" role="treegrid" aria-label="Spans" aria-rowcount=${shown.nodes.length + 1} tabindex="0" ref=${scroller}
    aria-activedescendant=${chosen >= 0 ? `node-${row}` : undefined}>
    <div role="row" class="span headrow" aria-rowindex="1">
      <span role="columnheader" class="what">span</span>
      <span role="columnheader" class="lane axis" aria-label="time" onPointerDown=${axisPressed}>${ticks(from, to, isNarrow.value ? 3 : 6).map(
        (at) => html`<small key=${at} style=${{ left: `${(100 * (at - from)) / (to - from)}%` }}>${duration(at)}</small>`,
      )}</span>
    </div>
    <div class="space" role="rowgroup" style=${{ height: `${total}px` }}>
      ${items.map(({ index, start, place }) => {
        const node = shown.nodes[index];
        if (node === undefined) return null;
        const joined = isJoined(trace, node, view);
        return html`<${Row} key=${place} trace=${trace} node=${node} joined=${joined} depth=${shown.depths[index]} index=${index} top=${start} height=${height}
          chosen=${node === row && chosen >= 0} isFound=${found.has(node) || (joined && found.has(node + 1))} mark=${marks.get(node) ?? (joined ? marks.get(node + 1) : undefined)} isFolded=${fold.has(node)} from=${from} to=${to} act=${act} />`;
      })}
    </div>
  </div>`;
}

function Row({ trace, node, joined, depth, index, top, height, chosen, isFound, mark, isFolded, from, to, act }) {
  const isMissing = trace.top[node] === MISSING_PARENT;
  const told = joined ? node + 1 : node;
  const below = hasBelow(trace, node, joined);
  const flags = trace.flags[node] | (joined ? trace.flags[told] : 0);
  const kinds = ['span', chosen && 'chosen', isFound && 'found', mark && 'broken', isMissing && 'missing', flags & ERROR && 'failed', flags & ORIGIN && 'origin'];
  const marks = { '--depth': Math.min(depth, 24) };
  const fold = (event) => {
    event.stopPropagation();
    act.fold(node);
  };
  return html`<div role="row" class=${kinds.filter(Boolean).join(' ')} id="node-${node}" data-span=${trace.spanIds[told]} aria-level=${depth + 1} aria-rowindex=${index + 2}
    aria-selected=${chosen} aria-expanded=${below ? !isFolded : undefined} style=${{ transform: `translateY(${top}px)`, height: `${height}px` }} onClick=${() => act.choose(told)}>
    <span role="gridcell" class="what" style=${marks}>
      ${below ? html`<button class="fold quiet" tabindex="-1" aria-label=${isFolded ? 'Unfold' : 'Fold'} onClick=${fold}>${isFolded ? '▸' : '▾'}</button>` : html`<i class="fold"></i>`}
      ${isMissing ? html`<em class="warn">parent <code>${trace.missing[node]}</code> was never received</em>` : html`<${What} trace=${trace} node=${node} told=${told} joined=${joined} act=${act} />`}
      ${mark && html`<small class="warn">${mark[0]}</small>`}
      ${isFolded && html`<small class="count">(${trace.end[node] - node - 1})</small>`}
    </span>
    <span role="gridcell" class="lane"><${Bar} trace=${trace} node=${node} joined=${joined} from=${from} to=${to} /></span>
  </div>`;
}

/** What a row is of: who, what, which kind, and what is wrong with it. */
function What({ trace, node, told, joined, act }) {
  const service = trace.services[trace.service[told]];
  const flags = trace.flags[node] | (joined ? trace.flags[told] : 0);
  const open = (event) => {
    event.stopPropagation();
    act.open(node);
  };
  const skew = Math.max(trace.skew[node], joined ? trace.skew[told] : 0);
  const code = trace.code[told];
  const kept = trace.kept[told] ?? trace.kept[node];
  const caller = trace.services[trace.service[node]];
  return html`<${Service} name=${service} hue=${hue(service)} />
    <bdi class="name" title=${trace.names[trace.name[told]]}>${trace.names[trace.name[told]].slice(0, 300)}</bdi>
    <span class="signs">
      ${trace.top[node] === IN_CIRCLE && html`<small class="warn">own ancestor</small>`}
      ${flags & REPEATED ? html`<small class="warn">id twice</small>` : null}
      ${skew > 0 && html`<small class="warn" title="It starts ${exactly(skew)} before its parent: the clocks of two machines differ. Times are shown as sent.">clock −${duration(skew)}</small>`}
      ${flags & KEPT ? html`<small class="warn">kept: ${kept}</small>` : null}
      ${code >= 400 && html`<small class="bad">${code}</small>`}
      ${flags & ERROR ? html`<small class="bad">${flags & ORIGIN ? '! origin' : '!'}</small>` : null}
      ${joined
        ? html`<button class="hop quiet" tabindex="-1" title="One hop: the CLIENT of ${caller} and the SERVER of ${service}. Click for both (Enter)"
            aria-label="Show both spans of the hop from ${caller}" onClick=${open}>⇢ HOP</button>`
        : html`<small>${kindOf(trace.kind[node])}</small>`}
    </span>`;
}
