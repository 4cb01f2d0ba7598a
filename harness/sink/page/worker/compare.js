// Two traces side by side, or one and the median of its like: those with the same root.
//
//   comparison   { a, b, rows }   the heads of both sides, and `structure.js`' rows; `b.traces` is how many traces b is
//   error { message, status }
import { ask } from './fetch.js';
import { columns } from './columns.js';
import { spansOf } from './otlp.js';
import { lay, median, rows, structure } from './structure.js';

/** The most traces that a trace is compared with, the most spans of them, and the most that are looked through for them. */
const LIKE = 25;
const SPANS = 50000;
const LOOKED_AT = 500;

export class CompareJob {
  constructor({ a, b, token }, say) {
    Object.assign(this, { a, b, token, say, abort: new AbortController() });
  }

  async start() {
    try {
      const a = await this.trace(this.a);
      const others = this.b ? [await this.trace(this.b)] : await this.like(a);
      const top = structure();
      lay(top, a, 'a');
      for (const other of others) lay(top, other, 'b');
      const heads = others.map(head);
      this.say({ type: 'comparison', a: head(a), b: this.b ? { ...heads[0], traces: 1 } : many(heads), rows: rows(top, others.length) });
    } catch (error) {
      if (error.name !== 'AbortError') this.say({ type: 'error', message: error.message, status: error.status ?? 0 });
    }
  }

  async trace(id) {
    const answer = await ask(`traces/${encodeURIComponent(id)}`, this.token, this.abort.signal);
    return columns(spansOf(await answer.json())).columns;
  }

  /** Reads the newest traces with the root of a trace. */
  async like(trace) {
    const root = head(trace);
    const asked = new URLSearchParams({ service: root.service, name: root.name, limit: LOOKED_AT });
    const { traces } = await (await ask(`traces?${asked}`, this.token, this.abort.signal)).json();
    const found = [];
    let spans = 0;
    for (const it of traces) {
      const isLike = it.root?.service === root.service && it.root.name === root.name && it.traceId !== trace.id;
      if (!isLike || (found.length > 0 && spans + it.spans > SPANS)) continue;
      spans += it.spans;
      found.push(await this.trace(it.traceId));
      if (found.length === LIKE) break;
    }
    return found;
  }

  take() {}

  close() {
    this.abort.abort();
  }
}

function head(trace) {
  const root = Math.max(trace.source.findIndex((at) => at >= 0), 0);
  return {
    id: trace.id,
    service: trace.services[trace.service[root]],
    name: trace.names[trace.name[root]],
    startNano: trace.base,
    duration: trace.length,
    spans: trace.spans,
    errors: trace.flags.reduce((sum, flags) => sum + (flags & 1), 0),
  };
}

function many(heads) {
  if (heads.length === 0) return { traces: 0 };
  return {
    traces: heads.length,
    duration: median(heads, (it) => it.duration),
    spans: median(heads, (it) => it.spans),
    errors: median(heads, (it) => it.errors),
  };
}
