// The sink's verdict on a trace: the same findings, in the same words, as `sidespan verify` prints.
import { useEffect, useState } from '../core/view.js';
import { getIfThere } from '../core/api.js';

/** Returns the verdict on a trace: `null` until it is there, and where the sink gives none. */
export function useVerdict(trace) {
  const [verdict, set] = useState(null);
  useEffect(() => {
    if (!trace) return undefined;
    let isCurrent = true;
    getIfThere(`traces/${trace.id}/verdict`).then((answer) => isCurrent && set(answer), () => {});
    return () => (isCurrent = false);
  }, [trace]);
  return verdict;
}

/** Returns what a finding is, as the terminal says it: `header stripped`, `missing parent, not exported`. */
export function title({ kind, cause }) {
  const words = cause && kind === 'broken_hop' ? cause : cause && cause !== kind ? `${kind}, ${cause}` : kind;
  return words.replaceAll('_', ' ');
}

/** Returns the rows that findings are about: a map from a node to the title of its first finding. */
export function marked(trace, verdict) {
  const marks = new Map();
  const findings = verdict?.findings ?? [];
  if (findings.length === 0) return marks;
  const nodes = nodesOf(trace);
  for (const finding of findings) {
    for (const id of finding.spanIds ?? []) {
      const node = nodes.get(id);
      if (node !== undefined) marks.set(node, marks.get(node) ?? title(finding));
    }
  }
  return marks;
}

const known = new WeakMap();

/** Returns the nodes of a trace by the ids of their spans: the first, where an id comes twice. */
export function nodesOf(trace) {
  if (!known.has(trace)) {
    const nodes = new Map();
    trace.spanIds.forEach((id, node) => id !== '' && !nodes.has(id) && nodes.set(id, node));
    known.set(trace, nodes);
  }
  return known.get(trace);
}
