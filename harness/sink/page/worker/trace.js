// A trace: read, arranged and computed once; then what is asked of it.
//
//   trace   everything that rows need, in columns            span  { node, span }
//   found   { nodes }   the nodes with all words             error { message, status }
import { ask, events } from './fetch.js';
import { columns } from './columns.js';
import { spansOf } from './otlp.js';
import { details, holds } from './details.js';

/** The time in which changes are gathered, in milliseconds. */
const GATHER = 300;

export class TraceJob {
  constructor({ id, token, live }, say) {
    this.id = id;
    this.token = token;
    this.live = live;
    this.say = say;
    this.abort = new AbortController();
    this.spans = [];
    this.columns = null;
  }

  async start() {
    if (this.live) this.follow();
    await this.load();
  }

  async load() {
    try {
      const answer = await ask(`traces/${encodeURIComponent(this.id)}`, this.token, this.abort.signal);
      this.spans = spansOf(await answer.json());
      if (this.spans.length === 0) return;
      const { columns: found, transfer } = columns(this.spans);
      this.columns = { source: found.source.slice(), ids: new Map() };
      this.columns.source.forEach((at, node) => at >= 0 && this.columns.ids.set(this.spans[at].span.spanId, node));
      // What was moved is not here any more, but spans and their nodes are.
      this.say({ type: 'trace', trace: found }, transfer);
    } catch (error) {
      if (error.name !== 'AbortError') this.say({ type: 'error', message: error.message, status: error.status ?? 0 });
    }
  }

  async follow() {
    try {
      const answer = await ask('follow', this.token, this.abort.signal);
      let timer = 0;
      await events(answer, (name, data) => {
        if (name !== 'message' || !JSON.parse(data).traceId.startsWith(this.id)) return;
        timer ||= setTimeout(() => {
          timer = 0;
          this.load();
        }, GATHER);
      });
    } catch {
      // What is shown stays; it only does not grow.
    }
  }

  take({ span, find }) {
    if (span !== undefined && this.columns) {
      const at = this.columns.source[span];
      if (at >= 0) this.say({ type: 'span', node: span, span: details(this.spans, at, this.columns) });
    }
    if (find !== undefined && this.columns) {
      const words = find.toLowerCase().split(/\s+/).filter(Boolean);
      const nodes = [];
      this.columns.source.forEach((at, node) => at >= 0 && holds(this.spans[at], words) && nodes.push(node));
      this.say({ type: 'found', find, nodes: Uint32Array.from(nodes) });
    }
  }

  close() {
    this.abort.abort();
  }
}
