// The figures of a list of traces.

/** Returns the value that the given share of all are not above (nearest rank); `null` for none. */
export function percentile(sorted, share) {
  if (sorted.length === 0) return null;
  return sorted[Math.max(Math.ceil(sorted.length * share), 1) - 1];
}

/** Returns the number of traces, of those with errors, percentiles of the durations, and the traces of each service. */
export function figures(rows) {
  const durations = Float64Array.from(rows, (row) => row.duration).sort();
  const services = new Map();
  let failed = 0;
  for (const row of rows) {
    if (row.errors > 0) failed += 1;
    for (const service of row.services) services.set(service, (services.get(service) ?? 0) + 1);
  }
  return {
    traces: rows.length,
    failed,
    p50: percentile(durations, 0.5),
    p99: percentile(durations, 0.99),
    services: [...services].sort(([a, m], [b, n]) => n - m || (a < b ? -1 : 1)).slice(0, 12),
  };
}
