// The list of traces: filter, dots, figures, rows, newest first; new ones arrive without moving what is read.
import { html, useEffect, useMemo, useRef, useSignal } from '../core/view.js';
import { address, go } from '../core/router.js';
import { open } from '../core/data.js';
import { preference, say } from '../core/state.js';
import { counted } from '../core/time.js';
import { Dots } from '../parts/dots.js';
import { Filter } from '../parts/filter.js';
import { parameters, read } from '../parts/query.js';
import { Failure } from '../parts/panel.js';
import { Empty } from './empty.js';
import { Figures } from './figures.js';
import { Rows } from './list_rows.js';
import { ListTools } from './list_tools.js';

const wantsLive = preference('live', 'on');
const NOTHING = { view: new Uint32Array(), x: new Float64Array(), y: new Float64Array(), failed: new Uint8Array(), figures: null };

/** Where the list was, so that coming back finds the same row: by address. */
const places = new Map();

export function List({ params }) {
  const text = params.get('q') ?? '';
  const times = { from: params.get('from') ?? '', to: params.get('to') ?? '' };
  const { terms, words, error: wrong } = useMemo(() => read(text), [text]);
  const query = parameters(terms, times);
  const here = params.toString();

  const rows = useRef([]);
  const latest = useSignal(NOTHING);
  const shown = useSignal(NOTHING.view);
  const changes = useSignal(0);
  const state = useSignal('loading');
  const live = useSignal('off');
  const error = useSignal(null);
  const job = useRef(null);
  const isRead = useRef(false);

  useEffect(() => {
    rows.current = [];
    latest.value = NOTHING;
    shown.value = NOTHING.view;
    state.value = 'loading';
    error.value = null;
    const take = (message) => {
      if (message.type === 'rows') {
        message.slots.forEach((slot, nth) => (rows.current[slot] = message.rows[nth]));
        changes.value++;
      } else if (message.type === 'view') {
        latest.value = message;
        // What is being read must not move.
        if (!isRead.current || state.value === 'loading') shown.value = message.view;
      } else if (message.type === 'loaded') state.value = 'loaded';
      else if (message.type === 'live') live.value = message.state;
      else if (message.type === 'error') {
        error.value = message;
        state.value = 'failed';
      }
    };
    job.current = open('list', { query, words, live: wantsLive.peek() === 'on' }, take);
    return () => job.current.close();
  }, [query]);

  const typed = useRef([]);
  const narrowed = useRef(0);
  const narrow = (more) => {
    clearTimeout(narrowed.current);
    narrowed.current = setTimeout(() => job.current.send({ words: [...words, ...more] }), 80);
    typed.current = more;
    isRead.current = false;
  };
  useEffect(() => narrow(typed.current), [words.join(' ')]);

  const move = (next) => go(address('traces', [], { q: text, ...times, ...next }));
  const toTrace = (id) => go(address('trace', [id]));
  const instant = (seconds) => new Date(seconds * 1000).toISOString();
  const { view, x, y, failed, figures } = latest.value;
  const fresh = isRead.current ? arrivals(view, shown.value) : 0;
  const showAll = () => {
    isRead.current = false;
    shown.value = latest.value.view;
    changes.value++;
  };
  const isEmpty = state.value === 'loaded' && view.length === 0;

  return html`<section class="list" aria-label="Traces">
    <div class="listbar">
      <${Filter} text=${text} times=${times} draw=${narrow} open=${toTrace}
        change=${(q) => move({ q })} changeTimes=${(next) => move(next)} />
      <${ListTools} times=${times} change=${move} live=${live.value} wantsLive=${wantsLive} query=${query} figures=${figures}
        pause=${(on) => job.current.send({ live: on })}
        cleared=${() => { say('all spans are gone'); job.current.close(); location.reload(); }} />
    </div>
    ${wrong && html`<p class="wrong" role="alert">${wrong}</p>`}
    ${error.value && html`<${Failure} error=${error.value} again=${() => { error.value = null; state.value = 'loading'; job.current.send({ reload: true }); }} />`}
    ${isEmpty && !text && !times.from && !times.to
      ? html`<${Empty} />`
      : html`<${Dots} x=${x} y=${y} failed=${failed} narrow=${(from, to) => move({ from: instant(from), to: instant(to) })}
            open=${(at) => toTrace(rows.current[view[view.length - 1 - at]].id)} />
          <${Figures} figures=${figures} filter=${(key, value) => move({ q: `${text} ${key}:${/\s/.test(value) ? JSON.stringify(value) : value}`.trim() })} />
          ${fresh > 0 && html`<button class="fresh" onClick=${showAll}>${counted(fresh, 'new trace')}: show</button>`}
          <${Rows} rows=${rows.current} view=${shown.value} longest=${figures?.p99 ?? 1} state=${state.value} changes=${changes.value}
            place=${places.get(here)} keep=${(place) => places.set(here, place)} reading=${(on) => { isRead.current = on; if (!on) showAll(); }} />
          ${isEmpty && html`<p class="none">No trace has a span that meets all of it.${' '}<a href=${address('traces')}>All traces</a></p>`}`}
  </section>`;
}

/** Returns the number of traces of a view that another view has not. */
function arrivals(view, shown) {
  const known = new Set(shown);
  return view.reduce((sum, slot) => sum + (known.has(slot) ? 0 : 1), 0);
}
