// Files that the page hands out.
import { request } from './api.js';
import { say } from './state.js';

/** Asks the API for a path, and hands the answer out as a file. */
export async function download(path, name) {
  try {
    save(await (await request(path)).blob(), name);
  } catch (error) {
    say(error.message);
  }
}

/** Hands a blob out as a file. */
export function save(blob, name) {
  const link = document.createElement('a');
  link.href = URL.createObjectURL(blob);
  link.download = name;
  link.click();
  setTimeout(() => URL.revokeObjectURL(link.href), 10000);
}
