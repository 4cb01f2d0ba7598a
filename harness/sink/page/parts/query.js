// The filter as text, and what it means: `service:cart status:error duration:>200ms http.route=/pay some words`.
//
// A term is a key, a colon or an equals sign, and a value, in quotes where it has spaces; other words narrow what is loaded. Also
// taken: Jaeger's tags (`error=true`) and Tempo's queries (`{ resource.service.name = "cart" && duration > 200ms }`).

const KNOWN = ['service', 'name', 'status', 'kind', 'duration'];
const TERM = /^([A-Za-z][\w.\-/]*?)(>=|<=|[:=><])(.+)$/s;

/** Splits a filter at its spaces, but not within quotes. */
export function split(text) {
  return text.match(/(?:[^\s"]|"(?:[^"\\]|\\.)*"?)+/g) ?? [];
}

/** Writes a term. */
export function write({ key, value }) {
  const quoted = /[\s"]/.test(value) || value === '' ? JSON.stringify(value) : value;
  return KNOWN.includes(key) ? `${key}:${quoted}` : `${key}=${quoted}`;
}

function unquoted(text) {
  if (!text.startsWith('"')) return text;
  try {
    return JSON.parse(text.endsWith('"') && text.length > 1 ? text : `${text}"`);
  } catch {
    return text.replaceAll('"', '');
  }
}

/** Reads one term; `null` for a word. */
export function term(text) {
  const [, key, sign, rest] = TERM.exec(text) ?? [];
  if (!key || rest.startsWith('//')) return null;
  const known = key.toLowerCase();
  const value = unquoted(rest);
  if (known === 'error') return { key: 'status', value: value === 'true' ? 'error' : 'unset' };
  if (known === 'duration') return { key: known, value: sign === ':' || sign === '=' ? value : sign + value };
  if (known === 'minduration') return { key: 'duration', value: `>${value}` };
  if (known === 'maxduration') return { key: 'duration', value: `<${value}` };
  if (KNOWN.includes(known)) return { key: known, value };
  return { key, value };
}

/** Reads a filter: its terms, its other words, and what is wrong with it. */
export function read(text) {
  if (text.trim().startsWith('{')) return tempo(text.trim());
  const terms = [];
  const words = [];
  for (const part of split(text)) {
    const found = term(part);
    if (found) terms.push(found);
    else words.push(unquoted(part).toLowerCase());
  }
  return { terms, words, error: '' };
}

/** Reads a query of Tempo's: one `{…}` of comparisons joined by `&&`. */
function tempo(text) {
  const terms = [];
  const inner = /^\{(.*)\}$/s.exec(text)?.[1] ?? '';
  for (const part of inner.split('&&').map((it) => it.trim()).filter(Boolean)) {
    const [, side, sign, value] = /^([\w.:\-"/]+)\s*(=|>=|<=|>|<)\s*(.+)$/s.exec(part) ?? [];
    if (!side) return { terms: [], words: [], error: `this page takes comparisons joined by &&, not ${JSON.stringify(part)}` };
    const key = side.replace(/^(resource|span|trace|event|link)?[.:]/, '');
    const known = { 'service.name': 'service', rootServiceName: 'service', rootName: 'name' }[key] ?? key;
    terms.push(term(`${known}${sign === '=' ? ':' : sign}${value.trim()}`) ?? { key, value });
  }
  if (!text.endsWith('}')) return { terms: [], words: [], error: 'this query has no closing }' };
  return { terms, words: [], error: '' };
}

/** Returns the parameters of the API for terms and a range of time. */
export function parameters(terms, { from, to } = {}) {
  const asked = new URLSearchParams();
  for (const { key, value } of terms) {
    if (key === 'duration') durations(value, asked);
    else if (KNOWN.includes(key)) asked.append(key, value);
    else asked.append('attribute', `${key}=${value}`);
  }
  if (from) asked.set('from', from);
  if (to) asked.set('to', to);
  return asked.toString();
}

function durations(value, asked) {
  const range = value.split('..');
  if (range.length === 2) {
    if (range[0]) asked.append('minDuration', range[0]);
    if (range[1]) asked.append('maxDuration', range[1]);
  } else if (value.startsWith('<')) asked.append('maxDuration', value.replace(/^<=?/, ''));
  else asked.append('minDuration', value.replace(/^>=?/, ''));
}

/** Returns the trace id that a text is, or `null`. */
export const traceId = (text) => (/^([0-9a-f]{32}|[0-9a-f]{16})$/i.test(text.trim()) ? text.trim().toLowerCase() : null);
