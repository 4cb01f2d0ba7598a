// The choice of a range of time.
import { html } from '../core/view.js';
import { clock } from '../core/time.js';

const RANGES = [
  ['', 'all times'],
  ['5m', 'last 5 min'],
  ['15m', 'last 15 min'],
  ['1h', 'last hour'],
  ['6h', 'last 6 hours'],
  ['24h', 'last day'],
];

/** `times` are `{ from, to }` as in the address; `change` takes the next. */
export function Times({ times, change }) {
  const isChosen = times.to !== '' || !RANGES.some(([value]) => value === times.from);
  return html`<select aria-label="Time" onChange=${(event) => change({ from: event.target.value, to: '' })}>
    ${RANGES.map(([value, name]) => html`<option value=${value} selected=${!isChosen && value === times.from}>${name}</option>`)}
    ${isChosen && html`<option value="chosen" selected disabled>${range(times)}</option>`}
  </select>`;
}

function range({ from, to }) {
  const part = (text) => {
    const at = Date.parse(text);
    return Number.isNaN(at) ? text : clock(at).replace(/\.000$/, '');
  };
  return `${part(from) || '…'} to ${part(to) || 'now'}`;
}
