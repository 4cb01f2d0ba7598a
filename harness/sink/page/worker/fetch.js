// Requests of the worker to the sink's API.

export const API = '/api/sidespan/v1/';

/** The error of an answer that is none: `status` is 0 where the sink did not answer at all. */
export class Failure extends Error {
  constructor(status, message) {
    super(message);
    this.status = status;
  }
}

/** Asks for a path of the API, with the token where there is one. */
export async function ask(path, token, signal) {
  const headers = token ? { authorization: `Bearer ${token}` } : {};
  let answer;
  try {
    answer = await fetch(API + path, { headers, signal });
  } catch (error) {
    if (error.name === 'AbortError') throw error;
    throw new Failure(0, 'the sink does not answer: is it running?');
  }
  if (!answer.ok) {
    const cause = await answer.json().then((body) => body.error, () => undefined);
    throw new Failure(answer.status, cause ?? `the sink answers ${answer.status}`);
  }
  return answer;
}

/** Reads server-sent events from an answer's body: calls `take` with each event's name and data. */
export async function events(answer, take) {
  const reader = answer.body.pipeThrough(new TextDecoderStream()).getReader();
  let rest = '';
  for (;;) {
    const { done, value } = await reader.read();
    if (done) return;
    const parts = (rest + value).split('\n\n');
    rest = parts.pop();
    for (const part of parts) {
      let name = 'message';
      const data = [];
      for (const line of part.split('\n')) {
        if (line.startsWith('event:')) name = line.slice(6).trim();
        else if (line.startsWith('data:')) data.push(line.slice(5).trimStart());
      }
      if (data.length > 0) take(name, data.join('\n'));
    }
  }
}
