// The search inside a trace: words of names, services, ids, attributes and events.
import { html, useEffect, useRef } from '../core/view.js';
import { count } from '../core/time.js';
import { following } from '../parts/model.js';

/** `found` has the words and the nodes that have them all; `send` asks for the nodes of other words. */
export function Find({ found, send, chosen, choose }) {
  const field = useRef(null);
  const waiting = useRef(0);
  const { words, nodes } = found.value;
  useEffect(() => {
    const slash = (event) => {
      if (event.key !== '/' || event.target.closest?.('input, textarea, select')) return;
      event.preventDefault();
      field.current?.focus();
    };
    addEventListener('keydown', slash);
    return () => removeEventListener('keydown', slash);
  }, []);
  const write = (text) => {
    found.value = { words: text, nodes: text ? nodes : [] };
    clearTimeout(waiting.current);
    waiting.current = setTimeout(() => send(text), 120);
  };
  const keys = (event) => {
    if (event.key === 'Enter') choose(following(nodes, chosen, event.shiftKey ? -1 : 1));
    else if (event.key === 'Escape') event.target.blur();
    else return;
    event.preventDefault();
    event.stopPropagation();
  };
  const at = nodes.indexOf(chosen);
  return html`<span class="find" role="search">
    <input ref=${field} type="search" aria-label="Find in this trace" placeholder="find in this trace" value=${words}
      onInput=${(event) => write(event.target.value)} onKeyDown=${keys} />
    ${words && html`<small aria-live="polite" data-found=${nodes.length}>${at >= 0 ? `${count(at + 1)} of ${count(nodes.length)}` : `${count(nodes.length)} found`}</small>
      <button class="quiet" aria-label="Previous match" disabled=${nodes.length === 0} onClick=${() => choose(following(nodes, chosen, -1))}>↑</button>
      <button class="quiet" aria-label="Next match" disabled=${nodes.length === 0} onClick=${() => choose(following(nodes, chosen, 1))}>↓</button>`}
  </span>`;
}
