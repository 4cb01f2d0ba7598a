// The list of traces: what a search finds, what arrives later, and the figures of all of it.
//
// A trace has a slot, which is its place in the order of arrival here and never changes; what is shown, and in which order, is a
// list of slots. So the main thread gets each row once, in parts, and after that only numbers.
//
//   rows    { slots, rows }                    new or changed rows
//   view    { view, x, y, failed, figures }    the slots to show, newest first; their dots; their figures
//   loaded, live { state }, error { message, status }
import { ask, events } from './fetch.js';
import { figures } from './figures.js';

/** The rows of one message, so that none takes the main thread long. */
const PART = 400;
/** The time in which changes are gathered, in milliseconds. */
const GATHER = 200;
/** The time after which a broken stream is opened again, in milliseconds. */
const AGAIN = 2000;
/** The most traces that a search returns. */
export const LIMIT = 10000;

export class ListJob {
  constructor({ query, words, live, token }, say) {
    this.query = query;
    this.words = words ?? [];
    this.wantsLive = live;
    this.token = token;
    this.say = say;
    this.slots = new Map();
    this.rows = [];
    this.changed = new Set();
    this.abort = new AbortController();
    this.stream = null;
    this.timer = 0;
  }

  async start() {
    // The stream first, or what comes between the two would be lost.
    if (this.wantsLive) this.follow();
    await this.load();
  }

  async load() {
    try {
      const answer = await ask(`traces?${this.query}${this.query ? '&' : ''}limit=${LIMIT}`, this.token, this.abort.signal);
      const { traces } = await answer.json();
      for (const trace of traces) this.put(row(trace));
      this.flush();
      this.say({ type: 'loaded' });
    } catch (error) {
      this.failed(error);
    }
  }

  take({ words, live, reload }) {
    if (words) {
      this.words = words;
      this.show();
    }
    if (live === true && !this.stream) this.follow();
    if (live === false) this.stream?.abort();
    if (reload) this.load();
  }

  close() {
    this.abort.abort();
    this.stream?.abort();
    clearTimeout(this.timer);
  }

  failed(error) {
    if (error.name !== 'AbortError') this.say({ type: 'error', message: error.message, status: error.status ?? 0 });
  }

  async follow() {
    const stream = new AbortController();
    this.stream = stream;
    try {
      const answer = await ask(`follow?${this.query}`, this.token, stream.signal);
      this.say({ type: 'live', state: 'on' });
      await events(answer, (name, data) => {
        if (name === 'lagged') this.load();
        if (name === 'message') this.put(row(JSON.parse(data)));
        this.timer ||= setTimeout(() => this.flush(), GATHER);
      });
    } catch (error) {
      if (error.status >= 400) {
        this.stream = null;
        this.say({ type: 'live', state: 'off' });
        return;
      }
    }
    this.stream = null;
    this.say({ type: 'live', state: stream.signal.aborted ? 'off' : 'away' });
    if (!stream.signal.aborted && !this.abort.signal.aborted) setTimeout(() => !this.stream && this.follow(), AGAIN);
  }

  put(row) {
    let slot = this.slots.get(row.id);
    if (slot === undefined) {
      slot = this.rows.length;
      this.slots.set(row.id, slot);
    }
    this.rows[slot] = row;
    this.changed.add(slot);
  }

  flush() {
    this.timer = 0;
    const slots = [...this.changed];
    this.changed.clear();
    for (let at = 0; at < slots.length; at += PART) {
      const part = slots.slice(at, at + PART);
      this.say({ type: 'rows', slots: part, rows: part.map((slot) => this.rows[slot]) });
    }
    this.show();
  }

  show() {
    const shown = [];
    this.rows.forEach((row, slot) => holds(row, this.words) && shown.push(slot));
    shown.sort((a, b) => this.rows[b].start - this.rows[a].start || b - a);
    const rows = shown.map((slot) => this.rows[slot]);
    const view = Uint32Array.from(shown);
    // The dots are drawn from left to right.
    const x = Float64Array.from(rows, (row) => row.start / 1000).reverse();
    const y = Float64Array.from(rows, (row) => row.duration).reverse();
    const failed = Uint8Array.from(rows, (row) => (row.errors > 0 ? 1 : 0)).reverse();
    const message = { type: 'view', view, x, y, failed, figures: figures(rows) };
    this.say(message, [view.buffer, x.buffer, y.buffer, failed.buffer]);
  }
}

function row(trace) {
  const { root } = trace;
  return {
    id: trace.traceId,
    startNano: trace.startTimeUnixNano,
    start: Number(trace.startTimeUnixNano) / 1e6,
    duration: Number(trace.durationNano),
    spans: trace.spans,
    errors: trace.errors,
    services: trace.services,
    root: root && { service: root.service, name: root.name },
  };
}

/** True if every word is part of the root, a service or the id. */
function holds(row, words) {
  return words.every(
    (word) =>
      row.id.startsWith(word) ||
      row.root?.name.toLowerCase().includes(word) ||
      row.services.some((service) => service.toLowerCase().includes(word)),
  );
}
