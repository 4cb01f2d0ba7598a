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

/** Returns the rows that findings are about: a map from a node to the titles of its findings, errors first. */
export function marked(trace, verdict) {
  const marks = new Map();
  for (const finding of verdict?.findings ?? []) {
    for (const id of finding.spanIds ?? []) {
      const node = trace.spanIds.indexOf(id);
      if (node >= 0) marks.set(node, [...(marks.get(node) ?? []), title(finding)]);
    }
  }
  return marks;
}
