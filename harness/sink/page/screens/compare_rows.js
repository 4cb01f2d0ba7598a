// The rows of a comparison: the places of both traces in one tree, of which only those in sight are in the document.
import { html, useEffect, useMemo, useRef } from '../core/view.js';
import { hue } from '../core/color.js';
import { address, go } from '../core/router.js';
import { duration, exactly } from '../core/time.js';
import { isNarrow } from '../core/width.js';
import { difference, isOwn, state } from '../parts/difference.js';
import { useKeys } from '../parts/keys.js';
import { following, kindOf } from '../parts/model.js';
import { Service } from '../parts/panel.js';
import { useRows } from '../parts/rows.js';

/** `heads` are the heads of both sides. */
export function Rows({ rows, heads, chosen, choose, swap }) {
  const scroller = useRef(null);
  const height = isNarrow.value ? 44 : 24;
  const { items, total, reveal } = useRows(scroller, rows.length, height, { overscan: 10 });
  const differing = useMemo(() => rows.flatMap((row, at) => (isOwn(row) ? [at] : [])), [rows]);
  const longest = useMemo(() => rows.reduce((most, { a, b }) => Math.max(most, a?.duration ?? 0, b?.duration ?? 0), 1), [rows]);
  useEffect(() => scroller.current?.focus({ preventScroll: true }), []);
  useEffect(() => {
    if (chosen >= 0) reveal(chosen);
  }, [chosen]);
  const step = (by) => choose(Math.max(0, Math.min(rows.length - 1, chosen + by)));
  const opened = () => {
    const row = rows[chosen];
    const side = row?.a ? 0 : 1;
    const span = row?.a?.span || row?.b?.span;
    if (!span || !heads[side].id) return false;
    go(address('trace', [heads[side].id, 'span', span]));
  };
  useKeys([
    { keys: ['j', 'ArrowDown'], does: 'next row', act: () => step(1) },
    { keys: ['k', 'ArrowUp'], does: 'previous row', act: () => step(-1) },
    { keys: ['Home'], act: () => step(-rows.length) },
    { keys: ['End'], act: () => step(rows.length) },
    { keys: ['PageDown'], act: () => step(20) },
    { keys: ['PageUp'], act: () => step(-20) },
    { keys: ['n'], does: 'next difference', act: () => differing.length > 0 && choose(following(differing, chosen, 1)) },
    { keys: ['N'], does: 'previous difference', act: () => differing.length > 0 && choose(following(differing, chosen, -1)) },
    { keys: ['Enter'], does: 'opens the span in its trace', act: opened },
    ...(swap ? [{ keys: ['x'], does: 'swaps A and B', act: swap }] : []),
    { keys: ['Backspace'], act: () => history.back() },
  ]);
  const head = (name, kind) => html`<span role="columnheader" class=${kind}>${name}</span>`;
  return html`<div class="both" role="treegrid" aria-label="Spans of both traces" aria-rowcount=${rows.length + 1} tabindex="0" ref=${scroller}
    aria-activedescendant=${chosen >= 0 ? `place-${chosen}` : undefined}>
    <div role="row" class="place headrow" aria-rowindex="1">${head('span', 'what')}${head('A', 'time')}${head('B', 'time')}${head('A − B', 'by')}${head('A above B', 'bars')}</div>
    <div class="space" role="rowgroup" style=${{ height: `${total}px` }}>
      ${items.map(({ index, start }) => html`<${Place} key=${index} row=${rows[index]} at=${index} top=${start} height=${height} longest=${longest}
        of=${heads[1].traces} chosen=${index === chosen} choose=${choose} />`)}
    </div>
  </div>`;
}

function Place({ row, at, top, height, longest, of, chosen, choose }) {
  const is = state(row);
  const { a, b } = row;
  const time = (side, it) => html`<span role="gridcell" class="time" data-side=${side} data-nanos=${it ? it.duration : ''} title=${it ? `${exactly(it.duration)}, of which itself ${exactly(it.self)}` : ''}>${it ? html`${it.fails && html`<span class="bad" title="with an error">! </span>`}${duration(it.duration)}` : html`<span class="soft">–</span>`}</span>`;
  const bar = (side, it) => it && html`<i class=${side} style=${{ width: `${Math.max(0.3, (100 * it.duration) / longest)}%`, '--hue': hue(row.service) }}></i>`;
  return html`<div role="row" class="place ${is} ${chosen ? 'chosen' : ''} ${isOwn(row) ? 'own' : ''}" id="place-${at}" data-state=${is} data-name=${row.name}
    aria-level=${row.depth + 1} aria-rowindex=${at + 2} aria-selected=${chosen} style=${{ transform: `translateY(${top}px)`, height: `${height}px` }} onClick=${() => choose(at)}>
    <span role="gridcell" class="what" style=${{ '--depth': Math.min(row.depth, 40) }}>
      <${Service} name=${row.service} hue=${hue(row.service)} /> <bdi class="name" title=${row.name}>${row.name.slice(0, 300)}</bdi> <small>${kindOf(row.kind)}</small>
    </span>
    ${time('a', a)}${time('b', b)}
    <span role="gridcell" class="by">${said(is, row, of)}</span>
    <span role="gridcell" class="bars" aria-hidden="true">${bar('a', a)}${bar('b', b)}</span>
  </div>`;
}

/** The difference in words: `only in A`, `+290 ms`, `in 3 of 20`. */
function said(is, row, of) {
  if (is === 'a') return 'only in A';
  if (is === 'b') return of > 1 ? `only in B, ${row.b.of} of ${of}` : 'only in B';
  const by = difference(row, 'duration');
  const rare = of > 1 && row.b.of < of ? html` <small title="${row.b.of} of ${of} traces have it">${row.b.of}/${of}</small>` : '';
  if (is === 'same') return html`<span class="soft" title=${exactly(by)}>${by === 0 ? '=' : '≈'}</span>${rare}`;
  return html`<b title=${exactly(by)} data-nanos=${by}>${is === 'more' ? '+' : ''}${duration(by)}</b>${rare}`;
}
