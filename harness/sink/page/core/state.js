// What outlives a view: the theme, the token, and the short messages at the edge.
import { signal, effect } from './view.js';

function stored(storage, name, otherwise) {
  try {
    return storage.getItem(name) ?? otherwise;
  } catch {
    return otherwise;
  }
}

function store(storage, name, value) {
  try {
    storage.setItem(name, value);
  } catch {
    // A browser that keeps nothing still shows the page.
  }
}

/** A choice that the browser remembers. */
export function preference(name, otherwise) {
  const kept = signal(stored(localStorage, `sidespan.${name}`, otherwise));
  effect(() => store(localStorage, `sidespan.${name}`, kept.value));
  return kept;
}

/** `system`, `light` or `dark`. */
export const theme = preference('theme', 'system');
effect(() => {
  if (theme.value === 'system') delete document.documentElement.dataset.theme;
  else document.documentElement.dataset.theme = theme.value;
});

const wantsDark = matchMedia('(prefers-color-scheme: dark)');
const systemIsDark = signal(wantsDark.matches);
wantsDark.addEventListener('change', (event) => {
  systemIsDark.value = event.matches;
});

/** True while the page is dark; what draws on a canvas reads it to draw again. */
export const isDark = () => (theme.value === 'system' ? systemIsDark.value : theme.value === 'dark');

/** The token that the sink asks for, kept for this tab alone. */
export const token = signal(stored(sessionStorage, 'sidespan.token', ''));
effect(() => store(sessionStorage, 'sidespan.token', token.value));

/** True while the sink refuses the token, or the lack of one. */
export const needsToken = signal(false);

/** The message at the edge, read aloud politely. */
export const notice = signal('');
let fading = 0;

/** Shows a message for a while. */
export function say(text) {
  notice.value = text;
  clearTimeout(fading);
  fading = setTimeout(() => {
    notice.value = '';
  }, 4000);
}

/** Copies a text, and says so. */
export async function copy(text, what) {
  try {
    await navigator.clipboard.writeText(text);
    say(`${what} copied`);
  } catch {
    say(`the browser lets nothing be copied: allow the clipboard for ${location.origin}`);
  }
}
