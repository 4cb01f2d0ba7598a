// The map of services: asked for, laid out, and again when spans arrive.
//
//   map   { map, drawn }   the sink's answer, and the places of its parts (`layout.js`)
//   error { message, status }
import { ask, events } from './fetch.js';
import { layout } from './layout.js';

/** The time in which changes are gathered, in milliseconds: a map reads very many spans. */
const GATHER = 2000;

export class MapJob {
  constructor({ query, live, token }, say) {
    this.query = query;
    this.live = live;
    this.token = token;
    this.say = say;
    this.abort = new AbortController();
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
    try {
      const answer = await ask(`follow?${this.query}`, this.token, this.abort.signal);
      await events(answer, () => {
        this.timer ||= setTimeout(async () => {
          await this.load();
          this.timer = 0;
        }, GATHER);
      });
    } catch {
      // What is shown stays; it only does not grow.
    }
  }

  take({ reload }) {
    if (reload) this.load();
  }

  close() {
    this.abort.abort();
    clearTimeout(this.timer);
  }
}
