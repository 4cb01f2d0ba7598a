// The tools beside the filter: the time, live or paused, export, clear.
import { html, useState } from '../core/view.js';
import { request } from '../core/api.js';
import { download } from '../core/files.js';
import { count } from '../core/time.js';
import { Times } from '../parts/times.js';

export function ListTools({ times, change, live, wantsLive, pause, query, figures, cleared }) {
  const [asks, ask] = useState(false);
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
    <${Times} times=${times} change=${change} />
    <button class="live ${live}" aria-pressed=${wantsLive.value === 'on'} title=${said} onClick=${toggle}><i aria-hidden="true"></i>${live === 'away' ? 'away' : wantsLive.value === 'on' ? 'live' : 'paused'}</button>
    <button onClick=${() => download(`export?${query}`, 'traces.jsonl')} title="OTLP in JSON, a trace a line">Export</button>
    ${asks
      ? html`<span class="sure" role="alert">Remove ${figures ? 'all spans of the sink' : 'all'}?
          <button class="bad" onClick=${clear}>Remove</button> <button onClick=${() => ask(false)}>Keep</button></span>`
      : html`<button onClick=${() => ask(true)} title=${figures ? `Removes all, not only these ${count(figures.traces)}` : ''}>Clear…</button>`}
  </div>`;
}
