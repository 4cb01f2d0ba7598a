// The sink's API, for answers that are small. What can be large goes through `core/data.js`, off the main thread.
import { needsToken, token } from './state.js';

/** Where the sink's own API begins. */
export const API = '/api/sidespan/v1/';

/** The error of an answer that is none: `status` is 0 where the sink did not answer at all. */
export class ApiError extends Error {
  constructor(status, message) {
    super(message);
    this.status = status;
  }
}

/** Asks the API. A refused token brings up the panel that asks for one. */
export async function request(path, { method = 'GET', signal } = {}) {
  const headers = token.value ? { authorization: `Bearer ${token.value}` } : {};
  let answer;
  try {
    answer = await fetch(path.startsWith('/') ? path : API + path, { method, headers, signal });
  } catch (error) {
    if (error.name === 'AbortError') throw error;
    throw new ApiError(0, 'the sink does not answer: is it running?');
  }
  if (answer.status === 401) needsToken.value = true;
  if (!answer.ok) {
    const cause = await answer.json().then((body) => body.error, () => undefined);
    throw new ApiError(answer.status, cause ?? `the sink answers ${answer.status}`);
  }
  return answer;
}

/** Asks for JSON. */
export async function get(path, options) {
  return (await request(path, options)).json();
}

/** Asks for JSON that a sink without this part does not have; then `null`. */
export async function getIfThere(path, options) {
  try {
    return await get(path, options);
  } catch (error) {
    if ([400, 404, 405].includes(error.status)) return null;
    throw error;
  }
}
