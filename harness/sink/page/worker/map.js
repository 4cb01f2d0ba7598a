// The map of services: asked for, laid out, and again when spans arrive.
//
//   map   { map, drawn }   the sink's answer, and the places of its parts (`layout.js`)
//   error { message, status }
import { ask, events } from './fetch.js';
import { layout } from './layout.js';

/** The time in which changes are gathered, in milliseconds: a map reads very many spans. */
const GATHER = 2000;
/** The time after which a broken stream is opened again, in milliseconds. */
const AGAIN = 2000;

export class MapJob {
  constructor({ query, live, token }, say) {
    this.query = query;
    this.live = live;
    this.token = token;
    this.say = say;
    this.abort = new AbortController();
    this.stream = null;
    this.timer = 0;
  }

  async start() {
    if (this.live) this.follow();
    await this.load();
  }

  async load() {
    try {
      const map = await (await ask(`map?${this.query}`, this.token, this.abort.signal)).json();
      this.say({ type: 'map', map, drawn: await layout(map) });
    } catch (error) {
      if (error.name !== 'AbortError') this.say({ type: 'error', message: error.message, status: error.status ?? 0 });
    }
  }

  async follow() {
    const stream = new AbortController();
    this.stream = stream;
    try {
      const answer = await ask(`follow?${this.query}`, this.token, stream.signal);
      await events(answer, () => this.soon(GATHER));
    } catch (error) {
      if (error.status >= 400) return;
    }
    // The sink is away. What is shown stays, and what came meanwhile is asked for when it is back.
    if (stream.signal.aborted) return;
    setTimeout(() => {
      if (this.stream !== stream || stream.signal.aborted) return;
      this.follow();
      this.soon(AGAIN);
    }, AGAIN);
  }

  /** Asks again after a while, once for all that comes until then. */
  soon(millis) {
    this.timer ||= setTimeout(async () => {
      await this.load();
      this.timer = 0;
    }, millis);
  }

  rest(isHidden) {
    this.stream?.abort();
    if (isHidden || !this.live) return;
    this.follow();
    this.load();
  }

  take({ reload }) {
    if (reload) this.load();
  }

  close() {
    this.stream?.abort();
    this.abort.abort();
    clearTimeout(this.timer);
  }
}
