// What a span does by itself, and what a trace waited for.
//
// Both return one list of `[from, to]` pairs per node, flat: those of node `n` are `times[2 * at[n]]` to `times[2 * at[n + 1]]`.

/** Returns the nodes below each node, in the order of their start. */
export function childrenOf({ parent }) {
  const all = parent.map(() => []);
  parent.forEach((above, node) => above >= 0 && all[above].push(node));
  return all;
}

function flat(parts) {
  const at = new Uint32Array(parts.length + 1);
  parts.forEach((part, node) => {
    at[node + 1] = at[node] + part.length / 2;
  });
  const times = new Float64Array(at[parts.length] * 2);
  parts.forEach((part, node) => times.set(part, at[node] * 2));
  return { at, times };
}

/** Returns the times in which no child runs, and the sum of them for each node. */
export function ownTimes(start, stop, children) {
  const sums = new Float64Array(start.length);
  const parts = children.map((below, node) => {
    const part = [];
    let free = start[node];
    const add = (from, to) => {
      if (to <= from) return;
      part.push(from, to);
      sums[node] += to - from;
    };
    for (const child of [...below].sort((a, b) => start[a] - start[b])) {
      add(free, Math.min(start[child], stop[node]));
      free = Math.max(free, stop[child]);
    }
    add(free, stop[node]);
    return part;
  });
  return { ...flat(parts), sums };
}

/**
 * Returns the critical path below a node: the spans that, were they shorter, the whole would be shorter. It goes from the end back
 * to the start, into the child that ends last before the time it stands at; a child's part outside of its parent does not count.
 */
export function criticalPath(top, start, stop, children) {
  const parts = children.map(() => []);
  const stack = [[top, start[top], stop[top]]];
  while (stack.length > 0) {
    const [node, from, to] = stack.pop();
    let now = to;
    const below = children[node]
      .map((child) => [child, Math.max(start[child], from), Math.min(stop[child], to)])
      .filter(([, begin, end]) => end > begin)
      .sort(([, , a], [, , b]) => b - a);
    for (const [child, begin, end] of below) {
      if (end > now) continue;
      if (now > end) parts[node].push(end, now);
      stack.push([child, begin, end]);
      now = begin;
    }
    if (now > from) parts[node].push(from, now);
  }
  return flat(parts);
}
