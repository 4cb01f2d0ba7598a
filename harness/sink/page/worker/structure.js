// Traces laid over each other by structure: a span's place is its kind, service and name below those of its parent, and which of
// such siblings it is, in the order of their start.

import { percentile } from './figures.js';

/** Returns the top of an empty structure. */
export const structure = () => ({ children: new Map(), a: null, b: [] });

/** Lays a trace, in columns, over a structure: the one trace `a`, or one of the traces `b`. */
export function lay(top, trace, side) {
  const places = [];
  const counts = new Map();
  trace.source.forEach((source, node) => {
    const above = trace.parent[node] < 0 ? top : places[trace.parent[node]];
    if (source < 0) {
      // What hangs below a missing parent stands beside the roots.
      places.push(above);
      return;
    }
    const service = trace.services[trace.service[node]];
    const name = trace.names[trace.name[node]];
    const key = `${trace.kind[node]}\0${service}\0${name}`;
    const count = `${trace.parent[node]}\0${key}`;
    const nth = counts.get(count) ?? 0;
    counts.set(count, nth + 1);
    let place = above.children.get(`${nth}\0${key}`);
    if (!place) {
      place = { children: new Map(), a: null, b: [], kind: trace.kind[node], service, name };
      above.children.set(`${nth}\0${key}`, place);
    }
    const seen = {
      start: trace.start[node],
      duration: trace.stop[node] - trace.start[node],
      self: trace.self[node],
      fails: (trace.flags[node] & 1) !== 0,
      span: trace.spanIds[node],
    };
    if (side === 'a') place.a = seen;
    else place.b.push(seen);
    places.push(place);
  });
}

/** Returns the median of a fact by the nearest rank. */
export const median = (all, fact) => percentile(Float64Array.from(all, fact).sort(), 0.5);

/**
 * Returns the places as rows, from the top down: `depth`, `kind`, `service`, `name`, and for each side `null` or `duration`, `self`,
 * `fails`, `span`; of several traces `b` the medians, and `of` them that have the place. A place that less than half of them have,
 * and `a` has not, is left out.
 */
export function rows(top, traces) {
  const all = [];
  const stack = below(top, 0).reverse();
  while (stack.length > 0) {
    const { place, depth } = stack.pop();
    const { a, b } = place;
    if (!a && b.length * 2 < traces) continue;
    all.push({
      depth,
      kind: place.kind,
      service: place.service,
      name: place.name,
      a: a && { duration: a.duration, self: a.self, fails: a.fails, span: a.span },
      b:
        b.length === 0
          ? null
          : { duration: median(b, (it) => it.duration), self: median(b, (it) => it.self), fails: b.some((it) => it.fails), span: traces === 1 ? b[0].span : '', of: b.length },
    });
    stack.push(...below(place, depth + 1).reverse());
  }
  return all;
}

function below({ children }, depth) {
  const start = ({ a, b }) => a?.start ?? median(b, (it) => it.start);
  return [...children.values()].sort((one, other) => start(one) - start(other)).map((place) => ({ place, depth }));
}
