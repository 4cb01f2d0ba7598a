// The worker: one job per subscription of `core/data.js`, each a list, a map, a trace or a comparison.
import { CompareJob } from './compare.js';
import { ListJob } from './list.js';
import { MapJob } from './map.js';
import { TraceJob } from './trace.js';

const KINDS = { compare: CompareJob, list: ListJob, map: MapJob, trace: TraceJob };
const jobs = new Map();

onmessage = ({ data }) => {
  const { job, kind } = data;
  if (kind === 'close') {
    jobs.get(job)?.close();
    jobs.delete(job);
  } else if (KINDS[kind]) {
    const say = (message, transfer) => jobs.has(job) && postMessage({ job, ...message }, transfer ?? []);
    jobs.set(job, new KINDS[kind](data, say));
    jobs.get(job).start();
  } else {
    jobs.get(job)?.take(data);
  }
};
