// Attributes as a table: by groups of the semantic conventions, long values folded, each with what can be done with it.
import { html, useState } from '../core/view.js';
import { copy } from '../core/state.js';
import { address } from '../core/router.js';
import { write } from './query.js';

/** The groups, in the order in which they are shown; a key is of the first that it begins with. */
const GROUPS = [
  ['HTTP', ['http.', 'url.', 'user_agent.']],
  ['RPC', ['rpc.', 'grpc.']],
  ['error', ['error.', 'exception.']],
  ['Sidespan', ['sidespan.']],
  ['database', ['db.']],
  ['messaging', ['messaging.']],
  ['network', ['server.', 'client.', 'network.', 'net.', 'peer.', 'upstream_', 'tls.']],
  ['service', ['service.', 'deployment.', 'telemetry.']],
  ['Kubernetes', ['k8s.', 'container.', 'istio.', 'host.', 'cloud.', 'process.', 'os.']],
];
const LONG = 200;

/** Returns attributes by group: `[[name, attributes]]`, the conventions' first. */
export function grouped(attributes) {
  const groups = new Map(GROUPS.map(([name]) => [name, []]));
  const others = [];
  for (const it of attributes) {
    const [name] = GROUPS.find(([, begins]) => begins.some((begin) => it.key.startsWith(begin))) ?? [];
    (groups.get(name) ?? others).push(it);
  }
  return [...groups, ['others', others]].filter(([, all]) => all.length > 0);
}

/** `finds` offers the search for others of the same value. */
export function Attributes({ attributes, dropped = 0, finds = false, children }) {
  if (attributes.length === 0 && dropped === 0 && !children) return html`<p class="hint">none</p>`;
  return html`<div class="groups">
    ${grouped(attributes).map(
      ([name, all]) => html`<section class="group" key=${name}><h3>${name}</h3>
        <table><tbody>${all.map((it, nth) => html`<${Attribute} key=${it.key + nth} of=${it} finds=${finds} />`)}</tbody></table></section>`,
    )}
    ${children}
    ${dropped > 0 && html`<p class="warn">${dropped} more were dropped by the sender</p>`}
  </div>`;
}

function Attribute({ of: { key, text, type }, finds }) {
  const [isOpen, open] = useState(false);
  const isLong = text.length > LONG;
  const canFind = finds && ['string', 'int', 'double', 'bool'].includes(type) && text.length > 0 && text.length < 1000;
  const others = address('traces', [], { q: write({ key, value: text }) });
  return html`<tr>
    <th scope="row" title=${type}><bdi>${key}</bdi></th>
    <td><span class="value"><${Value} text=${isLong && !isOpen ? `${text.slice(0, LONG)}…` : text} whole=${text} /></span>
      ${isLong && html`<button class="quiet" aria-expanded=${isOpen} onClick=${() => open(!isOpen)}>${isOpen ? 'less' : `all ${text.length}`}</button>`}</td>
    <td class="does">${canFind && html`<a href=${others} title="Find others like this" aria-label="Find others with this ${key}">find</a>`}
      <button class="quiet" aria-label="Copy ${key}" title="Copy" onClick=${() => copy(text, key)}>copy</button></td>
  </tr>`;
}

/** A value; an address of the web is a link, and nothing else is. */
function Value({ text, whole }) {
  return isWeb(whole) ? html`<a href=${whole} rel="noopener noreferrer" target="_blank"><bdi>${text}</bdi></a>` : html`<bdi>${text}</bdi>`;
}

function isWeb(text) {
  if (!/^https?:\/\//i.test(text)) return false;
  try {
    return ['http:', 'https:'].includes(new URL(text).protocol);
  } catch {
    return false;
  }
}
