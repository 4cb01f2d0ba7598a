// The map of services: who calls whom, how often, with how many errors, how long it takes.
import { html, useEffect, useMemo, useRef, useSignal } from '../core/view.js';
import { open } from '../core/data.js';
import { address, go } from '../core/router.js';
import { preference } from '../core/state.js';
import { count, counted } from '../core/time.js';
import { isNarrow } from '../core/width.js';
import { Filter } from '../parts/filter.js';
import { Failure } from '../parts/panel.js';
import { parameters, read, write } from '../parts/query.js';
import { Times } from '../parts/times.js';
import { Graph } from './map_graph.js';
import { Tables } from './map_tables.js';

/** `graph` or `table`; empty as long as nobody chose, and then the width does. */
const chosenView = preference('map', '');

export function ServiceMap({ params }) {
  const text = params.get('q') ?? '';
  const times = { from: params.get('from') ?? '', to: params.get('to') ?? '' };
  const { terms, words, error: wrong } = useMemo(() => read(text), [text]);
  const query = parameters(terms, times);
  const found = useSignal(null);
  const error = useSignal(null);
  const job = useRef(null);

  useEffect(() => {
    found.value = null;
    error.value = null;
    const take = (message) => {
      if (message.type === 'map') [found.value, error.value] = [message, null];
      else if (message.type === 'error') error.value = message;
    };
    job.current = open('map', { query, live: true }, take);
    return () => job.current.close();
  }, [query]);

  const move = (next) => go(address('map', [], { q: text, ...times, ...next }));
  /** The list with more conditions: what a node or an edge leads to. */
  const listed = (more) => {
    const kept = terms.filter(({ key }) => !more.some((it) => it.key === key));
    return address('traces', [], { q: [...kept, ...more].map(write).join(' '), ...times });
  };
  const view = chosenView.value || (isNarrow.value ? 'table' : 'graph');
  const map = found.value?.map;
  const Shown = view === 'table' ? Tables : Graph;
  return html`<section class="map" aria-label="Map of services">
    <div class="listbar">
      <${Filter} text=${text} times=${times} draw=${() => {}} open=${(id) => go(address('trace', [id]))}
        change=${(q) => move({ q })} changeTimes=${(next) => move(next)} />
      <div class="listtools">
        <${Times} times=${times} change=${move} />
        <button aria-pressed=${view === 'table'} title="Graph or table (t)" onClick=${() => (chosenView.value = view === 'table' ? 'graph' : 'table')}>Table</button>
      </div>
    </div>
    ${wrong && html`<p class="wrong" role="alert">${wrong}</p>`}
    ${words.length > 0 && html`<p class="hint aside">Words narrow the list alone; the map takes conditions such as service:cart.</p>`}
    ${error.value && html`<${Failure} error=${error.value} again=${() => { error.value = null; job.current.send({ reload: true }); }} />`}
    ${map && html`<p class="covers" data-figure="covered" data-count=${map.traces} data-seconds=${map.spanSeconds}>
      ${counted(map.nodes.length, 'node')}, ${counted(map.edges.length, 'edge')} of ${counted(map.traces, 'trace')}
      ${map.leftOutTraces > 0 && html`<span class="warn">${` the newest; ${count(map.leftOutTraces)} older left out`}</span>`}
      ${view === 'graph' && found.value.drawn.leftOut > 0 && html`<span class="warn">${` ${counted(found.value.drawn.leftOut, 'node')} with the fewest requests are in the table alone`}</span>`}
    </p>`}
    ${map && (map.nodes.length === 0
      ? html`<p class="none">No trace has a span that meets all of it.${' '}<a href=${address('map')}>The whole map</a></p>`
      : html`<${Shown} map=${map} drawn=${found.value.drawn} seconds=${Number(map.spanSeconds)} listed=${listed}
          toggle=${() => (chosenView.value = view === 'table' ? 'graph' : 'table')} />`)}
    ${!map && !error.value && html`<div class="skeleton" aria-busy="true" aria-label="Loading">${[5, 8, 6].map((width) => html`<i style=${{ width: `${width * 10}%` }}></i>`)}</div>`}
  </section>`;
}
