// The rows of the list, of which only those in sight are in the document.
import { html, useEffect, useLayoutEffect, useRef, useState } from '../core/view.js';
import { hue } from '../core/color.js';
import { address, go } from '../core/router.js';
import { both, clock, count, duration, exactly } from '../core/time.js';
import { isNarrow } from '../core/width.js';
import { useKeys } from '../parts/keys.js';
import { Service } from '../parts/panel.js';
import { useRows } from '../parts/rows.js';
import { arrived, stateOf } from './states.js';

const SHOWN_SERVICES = 4;

/** `view` are the slots to show, `rows` the rows by slot; `reading` tells whether the reader is below the top. */
export function Rows({ rows, view, longest, state, place, keep, reading }) {
  const scroller = useRef(null);
  const [at, setAt] = useState(place?.at ?? -1);
  const height = isNarrow.value ? 44 : 24;
  const { items, total, reveal } = useRows(scroller, view.length, height);
  arrived.value;

  // Back on the list, the same rows are in sight.
  const restored = useRef(!place?.top);
  useLayoutEffect(() => {
    if (restored.current || total <= place.top) return;
    restored.current = true;
    scroller.current.scrollTop = place.top;
  });
  useEffect(() => scroller.current?.focus({ preventScroll: true }), []);
  const chosen = view[at] === undefined ? undefined : rows[view[at]];
  useEffect(() => {
    keep({ at, top: scroller.current?.scrollTop ?? 0 });
  }, [at]);

  const step = (by) => {
    const next = Math.max(0, Math.min(view.length - 1, at + by));
    setAt(next);
    reveal(next);
    reading(next > 0);
  };
  const page = () => Math.max(1, Math.floor((scroller.current?.clientHeight ?? 0) / height) - 2);
  useKeys([
    { keys: ['j', 'ArrowDown'], does: 'next trace', act: () => step(1) },
    { keys: ['k', 'ArrowUp'], does: 'previous trace', act: () => step(-1) },
    { keys: ['PageDown'], act: () => step(page()) },
    { keys: ['PageUp'], act: () => step(-page()) },
    { keys: ['Home'], does: 'newest trace', act: () => step(-view.length) },
    { keys: ['End'], does: 'oldest trace', act: () => step(view.length) },
    { keys: ['Enter', 'l'], does: 'opens the trace', act: () => (chosen ? go(address('trace', [chosen.id])) : false) },
  ]);

  const scrolled = () => {
    const { scrollTop } = scroller.current;
    keep({ at, top: scrollTop });
    reading(scrollTop > 0 || at > 0);
  };
  const head = (name, kind = '') => html`<span role="columnheader" class=${kind}>${name}</span>`;
  return html`<div class="rows" role="grid" aria-label="Traces, newest first" aria-rowcount=${view.length + 1} tabindex="0" ref=${scroller}
    aria-activedescendant=${chosen ? `trace-${chosen.id}` : undefined} aria-busy=${state === 'loading'} onScroll=${scrolled}>
    <div role="row" class="row headrow" aria-rowindex="1">
      ${head('when', 'when')}${head('root', 'root')}${head('services', 'those')}${head('spans', 'spans')}${head('duration', 'long')}${head('state', 'state')}
    </div>
    <div class="space" role="rowgroup" style=${{ height: `${total}px` }}>
      ${items.map(({ index, start, place }) => {
        const row = rows[view[index]];
        return row && html`<${Row} key=${place} row=${row} top=${start} height=${height} index=${index} chosen=${index === at} longest=${longest} choose=${() => setAt(index)} />`;
      })}
    </div>
    ${state === 'loading' && view.length === 0 && html`<div class="skeleton" aria-hidden="true">${[9, 6, 8, 4, 7].map((width) => html`<i style=${{ width: `${width * 10}%` }}></i>`)}</div>`}
  </div>`;
}

function Row({ row, top, height, index, chosen, longest, choose }) {
  const to = address('trace', [row.id]);
  const open = (event) => {
    choose();
    if (event.target.closest('a') || event.ctrlKey || event.metaKey || String(getSelection())) return;
    go(to);
  };
  const width = Math.max(0.01, Math.min(1, row.duration / Math.max(longest, 1)));
  return html`<div role="row" class="row ${chosen ? 'chosen' : ''} ${row.errors > 0 ? 'failed' : ''}" id="trace-${row.id}" data-trace=${row.id}
    aria-rowindex=${index + 2} aria-selected=${chosen} style=${{ transform: `translateY(${top}px)`, height: `${height}px` }} onClick=${open}>
    <span role="gridcell" class="when" title=${both(row.startNano)}>${clock(row.start)}</span>
    <span role="gridcell" class="root"><a href=${to} tabindex="-1">${row.root
      ? html`<${Service} name=${row.root.service} hue=${hue(row.root.service)} /> <bdi class="name">${row.root.name}</bdi>`
      : html`<${Service} name=${row.services[0]} hue=${hue(row.services[0])} /> <em>root missing</em>`}</a></span>
    <span role="gridcell" class="those">${row.services.slice(0, SHOWN_SERVICES).map((name) => html`<${Service} name=${name} hue=${hue(name)} /> `)}${row.services.length > SHOWN_SERVICES ? `+${row.services.length - SHOWN_SERVICES}` : ''}</span>
    <span role="gridcell" class="spans">${count(row.spans)}</span>
    <span role="gridcell" class="long" title=${exactly(row.duration)}><i class="length" style=${{ '--share': width }}></i><b>${duration(row.duration)}</b></span>
    <span role="gridcell" class="state"><${State} row=${row} /></span>
  </div>`;
}

/** The state in words: a sign and a colour alone would tell some readers nothing. */
function State({ row }) {
  const found = stateOf(row);
  const parts = [];
  if (row.errors > 0) {
    const where = found?.errorService ? ` in ${found.errorService}` : '';
    parts.push(html`<span class="bad" title="${row.errors} spans with an error">! error<bdi>${where}</bdi></span>`);
  }
  if (found && !found.isWhole) {
    const where = found.brokenService ? ` at ${found.brokenService}` : '';
    parts.push(html`<span class="warn">broken<bdi>${where}</bdi></span>`);
  } else if (!found && !row.root) parts.push(html`<span class="warn">root missing</span>`);
  if (parts.length === 0) return html`<span class="soft">${found ? 'whole' : ' '}</span>`;
  return parts.length > 1 ? [parts[0], ', ', parts[1]] : parts[0];
}
