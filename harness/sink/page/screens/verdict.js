// The panel of the verdict on a trace: which hop broke, why, and what to do.
import { html } from '../core/view.js';
import { address } from '../core/router.js';
import { hue } from '../core/color.js';
import { Panel, Service } from '../parts/panel.js';
import { title } from '../parts/verdict.js';

/** `choose` takes the node of a span that a finding is about. */
export function Verdict({ trace, verdict, choose, close }) {
  return html`<${Panel} title=${verdict.verdict === 'whole' ? 'Whole, with warnings' : 'Broken'} kind="verdict" close=${close}>
    <ol>${verdict.findings.map((it) => html`<${Finding} it=${it} trace=${trace} choose=${choose} />`)}</ol>
  <//>`;
}

function Finding({ it, trace, choose }) {
  const { hop } = it;
  const here = (it.spanIds ?? []).map((id) => ({ id, node: trace.spanIds.indexOf(id) })).filter(({ node }) => node >= 0);
  return html`<li data-kind=${it.kind} data-cause=${it.cause ?? ''} data-from=${hop?.from ?? ''} data-to=${hop?.to ?? ''}>
    <p class="finding">
      ${hop && html`<span class="hop"><${Service} name=${hop.from} hue=${hue(hop.from)} /> → <${Service} name=${hop.to} hue=${hue(hop.to)} /></span>`}
      <b class="warn">${title(it)}</b>${it.severity === 'warning' && html` <small>(warning)</small>`}
    </p>
    <p class="message"><bdi>${it.message}</bdi></p>
    <p class="cure"><b>cure:</b> <bdi>${it.cure}</bdi></p>
    <p class="spans">
      ${here.map(({ id, node }) => html`<button onClick=${() => choose(node)}><${Service} name=${trace.services[trace.service[node]]} hue=${hue(trace.services[trace.service[node]])} /> <code>${id}</code></button> `)}
      ${it.otherTraceId && html`<a href=${address('trace', [it.otherTraceId])}>the other trace</a> <a href=${address('compare', [trace.id, it.otherTraceId])}>compare both</a>`}
    </p>
  </li>`;
}
