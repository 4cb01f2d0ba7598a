// The address: each view is one, so that back, forward, links and a new window work.
//
//   #/traces?q=…&from=…&to=…   #/trace/ID   #/trace/ID/span/ID   #/map?q=…   #/compare/A/B
//
// Jaeger's addresses lead to the same: /trace/ID, /trace/A...B, /search?service=…, /dependencies.
import { signal } from './view.js';

/** The current view: `{ screen, parts, params }`; `parts` are the decoded steps behind the screen. */
export const route = signal({ screen: 'traces', parts: [], params: new URLSearchParams() });

function read(hash) {
  const [path, query = ''] = hash.replace(/^#\/?/, '').split(/\?(.*)/s);
  const steps = path.split('/').filter(Boolean).map(decode);
  return { screen: steps[0] ?? 'traces', parts: steps.slice(1), params: new URLSearchParams(query) };
}

function decode(step) {
  try {
    return decodeURIComponent(step);
  } catch {
    return step;
  }
}

/** Returns the address of a view. Parameters that are empty are left out. */
export function address(screen, parts = [], params = {}) {
  const kept = Object.entries(params).filter(([, value]) => value !== undefined && value !== null && value !== '');
  const query = new URLSearchParams(kept).toString();
  return ['#', screen, ...parts.map(encodeURIComponent)].join('/') + (query ? `?${query}` : '');
}

/** Goes to an address; `replace` leaves no step to come back to. */
export function go(to, { replace = false } = {}) {
  if (to === location.hash) return;
  history[replace ? 'replaceState' : 'pushState'](null, '', `/${to}`);
  route.value = read(to);
}

/** Returns the address of Jaeger's page as one of this page, unless it is none. */
function translated({ pathname, search }) {
  const trace = /^\/trace\/([^/]+)\/?$/.exec(pathname);
  if (trace) {
    const [a, b] = trace[1].split('...');
    return b ? address('compare', [a, b]) : address('trace', [a], { find: new URLSearchParams(search).get('uiFind') });
  }
  if (pathname === '/dependencies') return address('map');
  if (pathname !== '/search') return null;
  const asked = new URLSearchParams(search);
  const words = [];
  const add = (key, value) => value && words.push(`${key}${/\s/.test(value) ? JSON.stringify(value) : value}`);
  add('service:', asked.get('service'));
  add('name:', asked.get('operation') === 'all' ? '' : asked.get('operation'));
  add('duration:>', asked.get('minDuration'));
  add('duration:<', asked.get('maxDuration'));
  try {
    for (const [key, value] of Object.entries(JSON.parse(asked.get('tags') ?? '{}'))) add(`${key}=`, String(value));
  } catch {
    // Tags that are no JSON say nothing.
  }
  const lookback = /^\d+[mh]$/.test(asked.get('lookback') ?? '') ? asked.get('lookback') : '';
  return address('traces', [], { q: words.join(' '), from: lookback });
}

/** Begins to follow the address. */
export function start() {
  const to = translated(location);
  if (to) history.replaceState(null, '', `/${to}`);
  const follow = () => {
    route.value = read(location.hash);
  };
  addEventListener('popstate', follow);
  addEventListener('hashchange', follow);
  follow();
}
