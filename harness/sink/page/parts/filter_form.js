// The filter as a form, for those who would rather click: each change is a change of the filter's text.
import { html, useEffect } from '../core/view.js';
import { refresh, services } from './completion.js';
import { Panel } from './panel.js';

const STATUSES = ['', 'error', 'ok', 'unset'];
const KINDS = ['', 'server', 'client', 'producer', 'consumer', 'internal'];

/** `terms` are the filter's, `change` takes the next ones. */
export function FilterForm({ terms, words, change, times, changeTimes, close }) {
  useEffect(() => void refresh(), []);
  const of = (key) => terms.find((it) => it.key === key)?.value ?? '';
  const isLong = (it) => it.key === 'duration';
  const bound = (sign) => terms.find((it) => isLong(it) && it.value.startsWith(sign))?.value.slice(1) ?? '';
  const loose = words.map((word) => ({ key: 'name', value: word }));
  const set = (key, value) => {
    const others = terms.filter((it) => it.key !== key);
    change(value ? [...others, { key, value }] : others);
  };
  const setBound = (sign, value) => {
    const others = terms.filter((it) => !(isLong(it) && it.value.startsWith(sign)));
    change(value ? [...others, { key: 'duration', value: sign + value }] : others);
  };
  const attributes = terms.filter((it) => !['service', 'name', 'status', 'kind', 'duration'].includes(it.key));
  const setAttribute = (text) => {
    const [, key, value] = /^([^=]+)=(.*)$/s.exec(text.trim()) ?? [];
    if (key) change([...terms, { key, value }]);
  };
  const choice = (name, key, values, shown = (it) => it) => html`<label>${name}
    <select value=${of(key)} onChange=${(event) => set(key, event.target.value)}>
      ${values.map((value) => html`<option value=${value} selected=${value === of(key)}>${value === '' ? 'any' : shown(value)}</option>`)}
    </select></label>`;
  const text = (name, value, take, hint) => html`<label>${name}
    <input value=${value} placeholder=${hint} onChange=${(event) => take(event.target.value.trim())} /></label>`;
  const names = ['', ...new Set([...services.value.map((it) => it.name), of('service')].filter(Boolean))];
  return html`<${Panel} title="Filter" kind="form" close=${close}>
    <form onSubmit=${(event) => event.preventDefault()}>
      ${choice('Service', 'service', names)}
      ${text('Name of a span', of('name') || loose[0]?.value || '', (value) => set('name', value), 'GET /checkout')}
      ${choice('Status', 'status', STATUSES)}
      ${choice('Kind', 'kind', KINDS)}
      ${text('At least', bound('>'), (value) => setBound('>', value), '200ms')}
      ${text('At most', bound('<'), (value) => setBound('<', value), '1s')}
      ${text('From', times.from, (value) => changeTimes({ ...times, from: value }), '15m, or 2026-11-30T12:00:00Z')}
      ${text('To', times.to, (value) => changeTimes({ ...times, to: value }), 'now')}
      <label>Attribute
        <input placeholder="key=value" onChange=${(event) => { setAttribute(event.target.value); event.target.value = ''; }} /></label>
      <p class="hint">${attributes.length > 0 ? `and ${attributes.map((it) => `${it.key}=${it.value}`).join(', ')}` : 'One span of a trace must meet all of it.'}</p>
    </form>
  <//>`;
}
