// The panel of the verdict on a trace: which hop broke, why, and what to do.
import { html } from '../core/view.js';
import { address } from '../core/router.js';
import { hue } from '../core/color.js';
import { Service } from '../parts/panel.js';
import { counted } from '../core/time.js';
import { nodesOf, title } from '../parts/verdict.js';

/** The most findings, and the most spans of one, that are shown: a broken trace can have thousands. */
const [FINDINGS, SPANS] = [40, 8];

/** `choose` takes the node of a span that a finding is about. The panel comes by itself, and so takes no focus. */
export function Verdict({ trace, verdict, choose, close }) {
  const title = verdict.verdict === 'whole' ? 'Whole, with warnings' : 'Broken';
  return html`<section class="panel verdict" role="region" aria-label="Verdict">
    <header><h2>${title}</h2><button class="quiet" aria-label="Close the verdict" title="v" onClick=${close}>×</button></header>
    <ol>${verdict.findings.slice(0, FINDINGS).map((it) => html`<${Finding} it=${it} trace=${trace} choose=${choose} />`)}</ol>
    ${verdict.findings.length > FINDINGS && html`<p class="soft">and ${counted(verdict.findings.length - FINDINGS, 'finding')} more</p>`}
  </section>`;
}

function Finding({ it, trace, choose }) {
  const { hop } = it;
  const nodes = nodesOf(trace);
  const here = (it.spanIds ?? []).filter((id) => nodes.has(id));
  return html`<li data-kind=${it.kind} data-cause=${it.cause ?? ''} data-from=${hop?.from ?? ''} data-to=${hop?.to ?? ''}>
    <p class="finding">
      ${hop && html`<span class="hop"><${Service} name=${hop.from} hue=${hue(hop.from)} /> → <${Service} name=${hop.to} hue=${hue(hop.to)} /></span>`}
      <b class="warn">${title(it)}</b>${it.severity === 'warning' && html` <small>(warning)</small>`}
    </p>
    <p class="message"><bdi>${it.message}</bdi></p>
    <p class="cure"><b>cure:</b> <bdi>${it.cure}</bdi></p>
    <p class="spans">
      ${here.slice(0, SPANS).map((id) => {
        const service = trace.services[trace.service[nodes.get(id)]];
        return html`<button onClick=${() => choose(nodes.get(id))}><${Service} name=${service} hue=${hue(service)} /> <code>${id}</code></button>`;
      })}
      ${here.length > SPANS && html`<span class="soft">and ${counted(here.length - SPANS, 'span')} more</span>`}
      ${it.otherTraceId && html`<a href=${address('trace', [it.otherTraceId])}>the other trace</a> <a href=${address('compare', [trace.id, it.otherTraceId])}>compare both</a>`}
    </p>
  </li>`;
}
