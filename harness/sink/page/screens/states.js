// The states of the traces in sight: whole or broken, and where an error began. Asked for when they are seen, because to tell them
// the sink reads every span of a trace.
import { get } from '../core/api.js';
import { signal } from '../core/view.js';

const WAIT = 60;
const MOST = 64;
const known = new Map();
const wanted = new Map();
let timer = 0;

/** Counts up when states have come. */
export const arrived = signal(0);

/** Returns the state of a row as far as it is known, and asks for it where it is not, or has changed. */
export function stateOf(row) {
  const found = known.get(row.id);
  if (found?.spans !== row.spans && wanted.get(row.id) !== row.spans) {
    wanted.set(row.id, row.spans);
    timer ||= setTimeout(ask, WAIT);
  }
  return found?.state;
}

async function ask() {
  timer = 0;
  const asked = [...wanted].slice(0, MOST);
  if (asked.length === 0) return;
  try {
    const { states } = await get(`states?${new URLSearchParams(asked.map(([id]) => ['id', id]))}`);
    const spans = new Map(asked);
    for (const state of states) known.set(state.traceId, { spans: spans.get(state.traceId), state });
    for (const [id] of asked) wanted.delete(id);
    if (wanted.size > 0) timer ||= setTimeout(ask, WAIT);
    arrived.value++;
  } catch {
    // The row says what its summary says. It stays wanted, so that a sink that is away is not asked again and again.
  }
}
