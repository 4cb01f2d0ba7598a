// The frame around every screen: name, screens, theme, keys, token, messages.
import { html, signal, useState } from '../core/view.js';
import { needsToken, notice, theme, token } from '../core/state.js';
import { address, route } from '../core/router.js';
import { EVERYWHERE, bindings } from './keys.js';
import { Panel } from './panel.js';

/** True while the keys are shown. */
export const helpIsOpen = signal(false);

const THEMES = ['system', 'light', 'dark'];

function Theme() {
  const next = THEMES[(THEMES.indexOf(theme.value) + 1) % THEMES.length];
  const sign = { system: '◐', light: '○', dark: '●' }[theme.value];
  return html`<button class="quiet" onClick=${() => (theme.value = next)} title="Theme: ${theme.value}. Click for ${next}"
    aria-label="Theme: ${theme.value}. Change to ${next}"><span aria-hidden="true">${sign}</span></button>`;
}

function Token() {
  const [text, write] = useState('');
  const send = (event) => {
    event.preventDefault();
    token.value = text.trim();
    needsToken.value = false;
  };
  return html`<${Panel} title="This sink asks for a token" kind="token">
    <form onSubmit=${send}>
      <label>The token of <code>--token-file</code>, kept in this tab alone
        <input type="password" autocomplete="off" required value=${text} onInput=${(event) => write(event.target.value)} /></label>
      <button>Use it</button>
    </form>
  <//>`;
}

function Keys() {
  const close = () => (helpIsOpen.value = false);
  const row = ({ keys, does }) => html`<tr><td>${keys.map((key) => html`<kbd>${key === ' ' ? 'Space' : key}</kbd> `)}</td><td>${does}</td></tr>`;
  return html`<${Panel} title="Keys" close=${close} kind="keys">
    <table><tbody>${bindings.value.map(row)}${EVERYWHERE.map(row)}</tbody></table>
  <//>`;
}

/** The page around a screen; `links` are the screens that the head leads to: `[{ name, screen, params }]`. */
export function Frame({ links, children }) {
  const { screen } = route.value;
  return html`<header class="head">
      <a class="brand" href=${address('traces')}>Sidespan</a>
      <nav aria-label="Screens">${links.map(
        (link) => html`<a href=${address(link.screen, [], link.params)} aria-current=${screen === link.screen ? 'page' : undefined}>${link.name}</a>`,
      )}</nav>
      <div class="tools">
        <${Theme} />
        <button class="quiet" aria-label="Keys" title="Keys (?)" onClick=${() => (helpIsOpen.value = !helpIsOpen.value)}><span aria-hidden="true">?</span></button>
      </div>
    </header>
    ${needsToken.value && html`<${Token} />`}
    ${helpIsOpen.value && html`<${Keys} />`}
    <main>${children}</main>
    <div class="notice" role="status" aria-live="polite">${notice.value}</div>`;
}
