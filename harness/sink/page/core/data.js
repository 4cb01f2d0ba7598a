// The way to the worker, which fetches, reads and computes what can be large, so that the main thread only shows.
//
// A subscription is a job of the worker: messages of its id come until it is closed. `worker/main.js` has the other end.
import { needsToken, token } from './state.js';

const worker = new Worker('/page/worker/main.js', { type: 'module' });
const jobs = new Map();
let last = 0;

worker.onmessage = ({ data }) => {
  if (data.type === 'error' && data.status === 401) needsToken.value = true;
  jobs.get(data.job)?.(data);
};

/**
 * Begins a job: `take` gets each of its messages, `{ type, … }`; what comes back can `send` it more, and `close` it.
 */
export function open(kind, content, take) {
  const job = ++last;
  jobs.set(job, take);
  worker.postMessage({ job, kind, token: token.peek(), ...content });
  return {
    send: (more) => worker.postMessage({ job, ...more }),
    close: () => {
      jobs.delete(job);
      worker.postMessage({ job, kind: 'close' });
    },
  };
}
