// A trace in columns: one typed array a fact, in the order of the rows, so that 20,000 spans move to the main thread at once.
import { arrange, CIRCLE, MISSING, ROOT } from './tree.js';
import { childrenOf, criticalPath, ownTimes } from './intervals.js';
import { find, textOf } from './otlp.js';

/** The bits of `flags`. */
export const ERROR = 1;
export const ORIGIN = 2;
export const HOP = 4;
export const REPEATED = 8;
export const KEPT = 16;
export const ON_PATH = 32;

const CLIENT = 3;
const SERVER = 2;

/** Returns the columns, and what of them moves instead of being copied. */
export function columns(spans) {
  const base = spans.reduce((least, { span }) => {
    const start = BigInt(span.startTimeUnixNano ?? 0);
    return least === null || start < least ? start : least;
  }, null);
  const since = (time) => Number(BigInt(time ?? 0) - base);
  const starts = Float64Array.from(spans, ({ span }) => since(span.startTimeUnixNano));
  const stops = Float64Array.from(spans, ({ span }, at) => Math.max(since(span.endTimeUnixNano), starts[at]));
  const tree = arrange(spans, starts);
  const { source, parent, top, end } = tree;
  const total = source.length;

  const start = new Float64Array(total);
  const stop = new Float64Array(total);
  const depth = new Uint32Array(total);
  const kind = new Uint8Array(total);
  const flags = new Uint16Array(total);
  const code = new Uint16Array(total);
  const service = new Int32Array(total).fill(-1);
  const name = new Int32Array(total).fill(-1);
  const skew = new Float64Array(total);
  const services = new Names();
  const names = new Names();
  const kept = {};
  const moments = [];
  const ids = new Set();
  for (let node = 0; node < total; node++) {
    depth[node] = parent[node] < 0 ? 0 : depth[parent[node]] + 1;
    const at = source[node];
    if (at < 0) continue;
    const { span, around } = spans[at];
    start[node] = starts[at];
    stop[node] = stops[at];
    kind[node] = span.kind ?? 0;
    service[node] = services.of(around.service);
    name[node] = names.of(span.name ?? '');
    const status = find(span.attributes, 'http.response.status_code') ?? find(span.attributes, 'http.status_code');
    code[node] = Number(textOf(status)) || 0;
    if (span.status?.code === 2) flags[node] |= ERROR;
    if (ids.has(span.spanId)) flags[node] |= REPEATED;
    ids.add(span.spanId);
    const why = find(span.attributes, 'sidespan.kept');
    if (why) {
      flags[node] |= KEPT;
      kept[node] = textOf(why);
    }
    for (const event of span.events ?? []) moments.push(node, since(event.timeUnixNano));
    const above = parent[node];
    if (above >= 0 && source[above] >= 0 && start[node] < start[above]) skew[node] = start[above] - start[node];
  }
  const children = childrenOf(tree);
  missingParents(tree, children, start, stop);
  marks(tree, children, { kind, flags, service });
  const own = ownTimes(start, stop, children);
  const path = criticalPath(pathTop(tree, start, stop), start, stop, children);
  for (let node = 0; node < total; node++) if (path.at[node + 1] > path.at[node]) flags[node] |= ON_PATH;

  const length = stop.reduce((most, time) => Math.max(most, time), 0);
  const typed = {
    source: Int32Array.from(source),
    parent: Int32Array.from(parent),
    top: Uint8Array.from(top),
    end: Uint32Array.from(end),
    start,
    stop,
    depth,
    kind,
    flags,
    code,
    service,
    name,
    skew,
    self: own.sums,
    ownAt: own.at,
    ownTimes: own.times,
    pathAt: path.at,
    pathTimes: path.times,
    moments: Float64Array.from(moments),
  };
  const spanIds = source.map((at) => (at < 0 ? '' : spans[at].span.spanId));
  const found = {
    ...typed,
    id: spans[0].span.traceId,
    base: String(base),
    length,
    spans: spans.length,
    spanIds,
    services: services.list,
    names: names.list,
    kept,
    missing: Object.fromEntries(tree.missing),
    tops: { roots: count(top, ROOT), missing: count(top, MISSING), circles: count(top, CIRCLE) },
  };
  return { columns: found, transfer: Object.values(typed).map((it) => it.buffer) };
}

/** Texts that many spans share, as numbers. */
class Names {
  list = [];
  known = new Map();

  of(text) {
    let number = this.known.get(text);
    if (number === undefined) {
      number = this.list.push(text) - 1;
      this.known.set(text, number);
    }
    return number;
  }
}

const count = (list, value) => list.reduce((sum, it) => sum + (it === value), 0);

/** A missing parent takes the time of what hangs below it. */
function missingParents({ source }, children, start, stop) {
  source.forEach((at, node) => {
    if (at >= 0) return;
    start[node] = Math.min(...children[node].map((child) => start[child]));
    stop[node] = Math.max(...children[node].map((child) => stop[child]));
  });
}

/** Marks the errors with no error below them, and the callers that make one hop with the server they called. */
function marks({ parent, source, end }, children, { kind, flags, service }) {
  const failsBelow = new Uint8Array(source.length);
  for (let node = source.length - 1; node >= 0; node--) {
    const fails = (flags[node] & ERROR) !== 0;
    if (fails && !failsBelow[node]) flags[node] |= ORIGIN;
    if ((fails || failsBelow[node]) && parent[node] >= 0) failsBelow[parent[node]] = 1;
    const [server, more] = children[node];
    const isHop = kind[node] === CLIENT && server !== undefined && more === undefined && kind[server] === SERVER;
    if (isHop && source[node] >= 0 && service[server] !== service[node] && end[server] === end[node]) flags[node] |= HOP;
  }
}

/** The top that the critical path is of: the first root, or without one the longest top. */
function pathTop({ parent, top }, start, stop) {
  const tops = parent.flatMap((above, node) => (above < 0 ? [node] : []));
  const root = tops.find((node) => top[node] === ROOT);
  return root ?? tops.reduce((a, b) => (stop[b] - start[b] > stop[a] - start[a] ? b : a));
}
