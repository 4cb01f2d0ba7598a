// The keys of a screen: each screen says its own, and `?` shows all.
import { signal, useLayoutEffect } from '../core/view.js';

/** The keys that now do something: `[{ keys, does }]`, as the help shows them. */
export const bindings = signal([]);

/** Keys that work everywhere, as the help shows them. */
export const EVERYWHERE = [
  { keys: ['/'], does: 'filter, or search inside a trace' },
  { keys: ['Esc'], does: 'leaves a field, closes a panel' },
  { keys: ['y'], does: 'copies the link' },
  { keys: ['Backspace'], does: 'back to the list, where it was' },
  { keys: ['?'], does: 'these keys' },
];

/** True while keys are letters of a text. */
export const isTyping = (target) =>
  target instanceof HTMLElement && (target.isContentEditable || /^(INPUT|TEXTAREA|SELECT)$/.test(target.tagName));

/** Listens to keys while a component is there: `table` is `[{ keys, does, act }]`, and the first match acts. */
export function useKeys(table) {
  // Renewed with the view itself, so that no key acts on what was shown before.
  useLayoutEffect(() => {
    const before = bindings.peek();
    bindings.value = table.filter((it) => it.does);
    const listen = (event) => {
      if (event.defaultPrevented || event.ctrlKey || event.metaKey || event.altKey || isTyping(event.target)) return;
      // A button or a link has keys of its own.
      const isOwn = (event.key === 'Enter' || event.key === ' ') && event.target.closest?.('button, a, summary');
      const found = !isOwn && table.find((it) => it.keys.includes(event.key));
      if (found && found.act(event) !== false) event.preventDefault();
    };
    addEventListener('keydown', listen);
    return () => {
      removeEventListener('keydown', listen);
      bindings.value = before;
    };
  });
}
