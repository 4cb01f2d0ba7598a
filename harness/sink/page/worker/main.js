// The worker: one job per subscription of `core/data.js`, each a list or a trace.
import { ListJob } from './list.js';
import { TraceJob } from './trace.js';

const KINDS = { list: ListJob, trace: TraceJob };
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
