// The tree that parent ids make, whatever the spans are: every span has one place, every walk ends.
//
// The order is that of `sidespan trace`: roots first, then what hangs below a parent that is missing (each missing parent is a node
// of its own here), then circles, entered at their earliest span. Children are ordered by their start.

export const ROOT = 1;
export const MISSING = 2;
export const CIRCLE = 3;

/**
 * Returns the nodes in the order of a walk from the tops down: `source` (the span, or -1 for a missing parent), `parent` (a node, or
 * -1), `top` (ROOT, MISSING or CIRCLE at the tops, else 0), `end` (the node behind the last one below), `missing` (node to id).
 */
export function arrange(spans, starts) {
  const byId = new Map();
  spans.forEach(({ span }, at) => byId.has(span.spanId) || byId.set(span.spanId, at));
  const earlier = (a, b) => starts[a] - starts[b] || (spans[a].span.spanId < spans[b].span.spanId ? -1 : 1);
  const children = new Map();
  const roots = [];
  const orphans = new Map();
  const push = (map, key, at) => (map.has(key) ? map.get(key).push(at) : map.set(key, [at]));
  spans.forEach(({ span }, at) => {
    if (!span.parentSpanId) roots.push(at);
    else if (!byId.has(span.parentSpanId)) push(orphans, span.parentSpanId, at);
    else push(children, byId.get(span.parentSpanId), at);
  });
  for (const siblings of [roots, ...children.values(), ...orphans.values()]) siblings.sort(earlier);

  const source = [];
  const parent = [];
  const top = [];
  const end = [];
  const missing = new Map();
  const seen = new Uint8Array(spans.length);
  // A stack of its own, because a chain may be too deep for the engine's. A negative entry closes a node.
  const down = (from, above, kind) => {
    const stack = [[from, above, kind]];
    while (stack.length > 0) {
      const [at, above, kind] = stack.pop();
      if (at < 0) {
        end[~at] = source.length;
        continue;
      }
      if (seen[at]) continue;
      seen[at] = 1;
      const node = source.length;
      source.push(at);
      parent.push(above);
      top.push(kind);
      end.push(0);
      stack.push([~node, 0, 0]);
      const below = children.get(at) ?? [];
      for (let nth = below.length - 1; nth >= 0; nth--) stack.push([below[nth], node, 0]);
    }
  };
  for (const root of roots) down(root, -1, ROOT);
  for (const [id, below] of [...orphans].sort(([, a], [, b]) => earlier(a[0], b[0]))) {
    const node = source.length;
    missing.set(node, id);
    source.push(-1);
    parent.push(-1);
    top.push(MISSING);
    end.push(0);
    for (const at of below) down(at, node, 0);
    end[node] = source.length;
  }
  if (seen.includes(0)) {
    const rest = spans.map((_, at) => at).sort(earlier);
    for (const at of rest) if (!seen[at]) down(entry(at, spans, byId, starts), -1, CIRCLE);
  }
  return { source, parent, top, end, missing };
}

/** Climbs until a span comes twice, and returns the earliest span of that circle: a branch that hangs on it is shown below. */
function entry(from, spans, byId, starts) {
  const path = [];
  const met = new Set();
  let at = from;
  while (!met.has(at)) {
    met.add(at);
    path.push(at);
    at = byId.get(spans[at].span.parentSpanId);
  }
  return path.slice(path.indexOf(at)).reduce((a, b) => (starts[b] < starts[a] ? b : a));
}
