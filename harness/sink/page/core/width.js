// The width of the page, for what is not a matter of style alone.
import { signal } from './view.js';

const narrow = matchMedia('(max-width: 640px)');

/** True on a phone's width, where rows are two lines high. */
export const isNarrow = signal(narrow.matches);
narrow.addEventListener('change', (event) => {
  isNarrow.value = event.matches;
});
