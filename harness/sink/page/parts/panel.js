// A panel beside what it is about: never over the whole page, closed by its button or Escape.
import { html, useEffect, useRef } from '../core/view.js';

/** A panel with a title; it takes the focus when it opens, and gives it back. */
export function Panel({ title, close, children, kind = '' }) {
  const panel = useRef(null);
  useEffect(() => {
    const before = document.activeElement;
    panel.current?.focus();
    return () => before?.isConnected && before.focus();
  }, []);
  const escape = (event) => {
    if (event.key !== 'Escape' || !close) return;
    event.stopPropagation();
    close();
  };
  return html`<section class="panel ${kind}" role="region" aria-label=${title} tabindex="-1" ref=${panel} onKeyDown=${escape}>
    <header>
      <h2>${title}</h2>
      ${close && html`<button class="quiet" aria-label="Close ${title}" onClick=${close}>×</button>`}
    </header>
    ${children}
  </section>`;
}

/** A service's name behind its colour. */
export function Service({ name, hue }) {
  return html`<span class="service"><i class="mark" style=${{ '--hue': hue }}></i><bdi>${name}</bdi></span>`;
}

/** What is said where something failed, with the way on. */
export function Failure({ error, again }) {
  return html`<div class="failure" role="alert">
    <p>${error.message}</p>
    ${again && html`<button onClick=${again}>Try again</button>`}
  </div>`;
}
