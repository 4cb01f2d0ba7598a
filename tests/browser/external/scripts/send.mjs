// A sender beside the page.
import { given } from './browser.mjs';

/** Sends one of the requests that the test has given. */
export async function send(request) {
  const headers = { 'content-type': 'application/json', ...(given.token ? { authorization: `Bearer ${given.token}` } : {}) };
  const answer = await fetch(`${given.origin}/v1/traces`, { method: 'POST', headers, body: JSON.stringify(request) });
  if (!answer.ok) throw new Error(`${answer.status}: ${await answer.text()}`);
}
