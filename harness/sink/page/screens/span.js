// The panel of a span: everything that was sent of it.
import { html, useState } from '../core/view.js';
import { hue } from '../core/color.js';
import { address } from '../core/router.js';
import { copy } from '../core/state.js';
import { both, counted, duration, exactly } from '../core/time.js';
import { Attributes } from '../parts/attributes.js';
import { ERROR, HOP, ORIGIN, kindOf } from '../parts/model.js';
import { Service } from '../parts/panel.js';

const STATUSES = ['unset', 'ok', 'error'];

export function Span({ trace, node, span, choose, close }) {
  const [tab, setTab] = useState('attributes');
  const links = span.links.length + span.linkedFrom.length;
  const tabs = [
    ['attributes', 'Attributes', span.attributes.length],
    ['events', 'Events', span.events.length],
    ['links', 'Links', links],
    ['origin', 'Resource', span.resource.length],
    ['raw', 'Raw', null],
  ];
  const keys = (event) => {
    const by = { ArrowRight: 1, ArrowLeft: -1 }[event.key];
    if (!by) return;
    event.preventDefault();
    event.stopPropagation();
    const next = (tabs.findIndex(([name]) => name === tab) + by + tabs.length) % tabs.length;
    setTab(tabs[next][0]);
    event.currentTarget.children[next].focus();
  };
  const isError = (trace.flags[node] & ERROR) !== 0;
  const long = trace.stop[node] - trace.start[node];
  return html`<aside class="details" aria-label="Span">
    <header class="line">
      <h2><${Service} name=${span.service} hue=${hue(span.service)} /> <bdi>${span.name.slice(0, 200)}</bdi></h2>
      <small>${kindOf(span.kind)}</small>
      <span title=${exactly(long)}><b data-figure="span-duration" data-nanos=${long}>${duration(long)}</b> <span class="soft">(self <span data-figure="span-self" data-nanos=${trace.self[node]}>${duration(trace.self[node])}</span>)</span></span>
      <span class=${isError ? 'bad' : 'soft'}>${isError ? '! ' : ''}status ${STATUSES[span.status.code ?? 0] ?? span.status.code}${trace.flags[node] & ORIGIN ? ', began here' : ''}</span>
      ${span.status.message && html`<bdi class="bad">${span.status.message.slice(0, 300)}</bdi>`}
      <${OtherSide} trace=${trace} node=${node} choose=${choose} />
      <span class="grow"></span>
      <button class="quiet id" title="Copy the id" onClick=${() => copy(span.spanId, 'id')}>${span.spanId}</button>
      <button class="quiet" aria-label="Close the span" onClick=${close}>×</button>
    </header>
    <div class="tabs" role="tablist" aria-label="Parts of the span" onKeyDown=${keys}>${tabs.map(
      ([name, title, number]) => html`<button role="tab" id="tab-${name}" key=${name} aria-selected=${tab === name} aria-controls="part" tabindex=${tab === name ? 0 : -1}
        onClick=${() => setTab(name)}>${title}${number === null ? '' : html` <small>${number}</small>`}</button>`,
    )}</div>
    <div class="part" id="part" role="tabpanel" aria-labelledby="tab-${tab}" tabindex="0" key=${span.spanId + tab}>
      ${tab === 'attributes' && html`<${Attributes} attributes=${span.attributes} dropped=${span.dropped.attributes} finds><${Times} span=${span} /><//>`}
      ${tab === 'events' && html`<${Events} span=${span} />`}
      ${tab === 'links' && html`<${Links} span=${span} />`}
      ${tab === 'origin' && html`<${Origin} span=${span} />`}
      ${tab === 'raw' && html`<div class="raw"><button onClick=${() => copy(span.raw, 'span')}>Copy</button><pre>${span.raw}</pre></div>`}
    </div>
  </aside>`;
}

/** The way to the other span of a hop that is one row. */
function OtherSide({ trace, node, choose }) {
  const above = trace.parent[node];
  const other = trace.flags[node] & HOP ? node + 1 : above >= 0 && trace.flags[above] & HOP ? above : -1;
  if (other < 0) return null;
  return html`<button class="quiet" onClick=${() => choose(other)}>⇢ the ${kindOf(trace.kind[other])} of ${trace.services[trace.service[other]]}</button>`;
}

function Times({ span }) {
  const rows = [
    ['start', both(span.startNano)],
    ['end', both(span.endNano)],
    ['parent', span.parentSpanId || 'none: a root'],
    span.traceState && ['tracestate', span.traceState],
    ['flags', `0x${span.flags.toString(16)}${span.flags & 1 ? ', sampled' : ''}${span.flags & 0x200 ? ', parent is remote' : ''}`],
  ];
  return html`<section class="group"><h3>span</h3><table><tbody>${rows.filter(Boolean).map(
    ([key, text]) => html`<tr key=${key}><th scope="row">${key}</th><td><span class="value">${text}</span></td><td class="does"><button class="quiet" aria-label="Copy ${key}" onClick=${() => copy(text.split('\n')[0], key)}>copy</button></td></tr>`,
  )}</tbody></table></section>`;
}

function Events({ span }) {
  const { events, dropped } = span;
  if (events.length === 0 && dropped.events === 0) return html`<p class="hint">none</p>`;
  const since = (time) => Number(BigInt(time) - BigInt(span.startNano));
  return html`${events.map(
    (event, nth) => html`<section class="event" key=${nth}><h3><span title=${both(event.timeNano)}>+${duration(since(event.timeNano))}</span> <bdi>${event.name}</bdi></h3>
      <${Attributes} attributes=${event.attributes} dropped=${event.dropped} /></section>`,
  )}${dropped.events > 0 && html`<p class="warn">${counted(dropped.events, 'event')} dropped by the sender</p>`}`;
}

function Links({ span }) {
  const to = (traceId, spanId) => address('trace', [traceId, 'span', spanId]);
  return html`${span.links.map(
      (link, nth) => html`<section class="event" key=${nth}><h3>to <a class="id" href=${to(link.traceId, link.spanId)}>${link.isHere ? `span ${link.spanId} of this trace` : `${link.traceId} span ${link.spanId}`}</a></h3>
        <${Attributes} attributes=${link.attributes} /></section>`,
    )}
    ${span.linkedFrom.map(
      (from, nth) => html`<section class="event" key="from${nth}"><h3>from <a class="id" href=${to(span.traceId, from.spanId)}>${from.spanId}</a> <${Service} name=${from.service} hue=${hue(from.service)} /> <bdi>${from.name}</bdi></h3></section>`,
    )}
    ${span.links.length + span.linkedFrom.length === 0 && html`<p class="hint">none of this trace</p>`}
    ${span.dropped.links > 0 && html`<p class="warn">${counted(span.dropped.links, 'link')} dropped by the sender</p>`}`;
}

function Origin({ span }) {
  const { scope } = span;
  return html`<${Attributes} attributes=${span.resource} finds />
    <section class="group"><h3>scope</h3><p><bdi>${scope.name || 'none'} ${scope.version}</bdi></p></section>
    ${scope.attributes.length > 0 && html`<${Attributes} attributes=${scope.attributes} />`}
    ${span.schemaUrl && html`<p class="hint">schema ${span.schemaUrl}</p>`}`;
}
