// What of a trace is shown: which rows, at which depth, in which stretch of time. Nothing here draws.
//
// A trace is in columns (`worker/columns.js`), its nodes in the order of the rows when everything is open, so that what is below a
// node stands between it and `end` of it.

export const ERROR = 1;
export const ORIGIN = 2;
export const HOP = 4;
export const REPEATED = 8;
export const KEPT = 16;
export const ON_PATH = 32;

export const MISSING_PARENT = 2;
export const IN_CIRCLE = 3;

/** The kinds of spans in the words of `sidespan trace`. */
export const KINDS = ['UNSPECIFIED', 'INTERNAL', 'SERVER', 'CLIENT', 'PRODUCER', 'CONSUMER'];
export const kindOf = (number) => KINDS[number] ?? 'UNKNOWN';

/**
 * Returns the rows to show: `nodes`, `depths` (as shown) and `rowOf` (node to row, that of the nearest shown one for what is not
 * shown). A hop is one row of its client and its server, unless `opened` has it or `joins` is false.
 */
export function visible(trace, { folded, opened, joins }) {
  const total = trace.parent.length;
  const nodes = [];
  const depths = [];
  const shownDepth = new Uint32Array(total);
  const rowOf = new Int32Array(total);
  let node = 0;
  while (node < total) {
    const above = trace.parent[node];
    shownDepth[node] = above < 0 ? 0 : shownDepth[above] + 1;
    const row = nodes.push(node) - 1;
    depths.push(shownDepth[node]);
    rowOf[node] = row;
    let next = node + 1;
    if (isJoined(trace, node, { opened, joins })) {
      shownDepth[next] = shownDepth[node];
      rowOf[next] = row;
      next += 1;
    }
    if (folded.has(node)) {
      rowOf.fill(row, next, trace.end[node]);
      next = trace.end[node];
    }
    node = next;
  }
  return { nodes, depths, rowOf };
}

/** True if a node is the client of a hop that is shown as one row. */
export const isJoined = (trace, node, { opened, joins }) => joins && (trace.flags[node] & HOP) !== 0 && !opened.has(node);

/** True if anything is below a node, apart from the server of its own hop. */
export const hasBelow = (trace, node, joined) => trace.end[node] > node + (joined ? 2 : 1);

/** Returns the nodes whose folding hides a node, the nearest first. The client of its own hop does not: both are one row. */
export function hiding(trace, node, view) {
  const all = [];
  const row = isJoined(trace, node - 1, view) ? node - 1 : node;
  for (let at = trace.parent[row]; at >= 0; at = trace.parent[at]) all.push(at);
  return all;
}

/**
 * Returns what finds nodes again after spans came to an open trace, where rows before them have moved them. What has no span of
 * its own, or is gone, is left out.
 */
export function moved(before, after) {
  const nodeOf = new Map(after.spanIds.map((id, node) => [id, node]).reverse());
  const ids = (nodes) => nodes.map((node) => before.spanIds[node]).filter((id) => id !== '' && nodeOf.has(id));
  return (nodes) => ids(nodes).map((id) => nodeOf.get(id));
}

/** Returns the nodes with an error, in the order of the rows. */
export function failures(trace) {
  const all = [];
  trace.flags.forEach((flags, node) => flags & ERROR && all.push(node));
  return all;
}

/** Returns the next of ordered nodes behind a node, or before it for `by` -1; around the end from the start. */
export function following(nodes, node, by) {
  if (nodes.length === 0) return -1;
  if (by > 0) return nodes.find((it) => it > node) ?? nodes[0];
  return nodes.findLast((it) => it < node) ?? nodes.at(-1);
}

/** Returns a stretch of time zoomed by a factor around a moment, within the trace. */
export function zoomed([from, to], factor, around, length) {
  const width = Math.min(Math.max((to - from) * factor, Math.min(length, 100)), length);
  const share = to > from ? (around - from) / (to - from) : 0.5;
  return within([around - share * width, around + (1 - share) * width], length);
}

/** Returns a stretch of time moved so that it lies within the trace. */
export function within([from, to], length) {
  const width = Math.min(to - from, length);
  const start = Math.min(Math.max(from, 0), length - width);
  return [start, start + width];
}

/** Returns the trace's state in the words of the terminal, as far as parents tell it: `{ isWhole, reasons }`. */
export function completeness(trace) {
  const { roots, missing, circles } = trace.tops;
  const reasons = [];
  if (roots === 0) reasons.push('no span is the root');
  if (roots > 1) reasons.push(`expected one root, found ${roots}`);
  if (missing > 0) reasons.push(`${missing === 1 ? 'a parent' : `${missing} parents`} missing`);
  if (circles > 0) reasons.push('a span is its own ancestor');
  if (trace.flags.some((flags) => flags & REPEATED)) reasons.push('a span has the id of another span');
  return { isWhole: reasons.length === 0, reasons };
}
