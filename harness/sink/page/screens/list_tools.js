// The tools beside the filter: the time, live or paused, export, clear.
import { html, useState } from '../core/view.js';
import { request } from '../core/api.js';
import { download } from '../core/files.js';
import { clock, count } from '../core/time.js';

const RANGES = [
  ['', 'all times'],
  ['5m', 'last 5 min'],
  ['15m', 'last 15 min'],
  ['1h', 'last hour'],
  ['6h', 'last 6 hours'],
  ['24h', 'last day'],
];

export function ListTools({ times, change, live, wantsLive, pause, query, figures, cleared }) {
  const [asks, ask] = useState(false);
  const isChosen = times.to !== '' || !RANGES.some(([value]) => value === times.from);
  const toggle = () => {
    wantsLive.value = wantsLive.value === 'on' ? 'off' : 'on';
    pause(wantsLive.value === 'on');
  };
  const said = { on: 'live', off: 'paused', away: 'the sink is away' }[live];
  const clear = async () => {
    await request('traces', { method: 'DELETE' });
    cleared();
  };
  return html`<div class="listtools">
    <select aria-label="Time" value=${isChosen ? 'chosen' : times.from} onChange=${(event) => change({ from: event.target.value, to: '' })}>
      ${RANGES.map(([value, name]) => html`<option value=${value} selected=${!isChosen && value === times.from}>${name}</option>`)}
      ${isChosen && html`<option value="chosen" selected disabled>${range(times)}</option>`}
    </select>
    <button class="live ${live}" aria-pressed=${wantsLive.value === 'on'} title=${said} onClick=${toggle}><i aria-hidden="true"></i>${live === 'away' ? 'away' : wantsLive.value === 'on' ? 'live' : 'paused'}</button>
    <button onClick=${() => download(`export?${query}`, 'traces.jsonl')} title="OTLP in JSON, a trace a line">Export</button>
    ${asks
      ? html`<span class="sure" role="alert">Remove ${figures ? 'all spans of the sink' : 'all'}?
          <button class="bad" onClick=${clear}>Remove</button> <button onClick=${() => ask(false)}>Keep</button></span>`
      : html`<button onClick=${() => ask(true)} title=${figures ? `Removes all, not only these ${count(figures.traces)}` : ''}>Clear…</button>`}
  </div>`;
}

function range({ from, to }) {
  const part = (text) => {
    const at = Date.parse(text);
    return Number.isNaN(at) ? text : clock(at).replace(/\.000$/, '');
  };
  return `${part(from) || '…'} to ${part(to) || 'now'}`;
}
