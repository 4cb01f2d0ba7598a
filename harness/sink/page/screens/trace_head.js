// The head of a trace: what it is, how long, whether it is whole, and what can be done with it.
import { html, useEffect } from '../core/view.js';
import { request } from '../core/api.js';
import { hue } from '../core/color.js';
import { download } from '../core/files.js';
import { address } from '../core/router.js';
import { copy, say } from '../core/state.js';
import { both, clock, count, counted, duration, exactly } from '../core/time.js';
import { Service } from '../parts/panel.js';
import { MISSING_PARENT, completeness } from '../parts/model.js';
import { title as named } from '../parts/verdict.js';

/** `verdict` is the sink's, `tell` opens and closes its panel. */
export function Head({ trace, jump, failures, hops, closeHops, verdict, tells, tell, children }) {
  const first = trace.top.findIndex((top) => top !== MISSING_PARENT);
  const root = trace.parent[0] < 0 && trace.source[0] >= 0 ? 0 : Math.max(first, 0);
  const named = trace.name[root] >= 0 ? root : trace.name.findIndex((name) => name >= 0);
  const service = trace.services[trace.service[named]];
  const title = trace.names[trace.name[named]];
  const start = Number(BigInt(trace.base) / 1000000n);
  useEffect(() => {
    document.title = `${title} · Sidespan`;
    return () => (document.title = 'Sidespan');
  }, [title]);
  const copyJson = async () => {
    try {
      await copy(await (await request(`traces/${trace.id}`)).text(), 'JSON');
    } catch (error) {
      say(error.message);
    }
  };
  const toggleHops = () => {
    hops.value = hops.value === 'joined' ? 'open' : 'joined';
    closeHops();
  };
  return html`<header class="tracehead">
    <div class="line">
      <a class="back" href=${address('traces')} aria-label="All traces" title="All traces (Backspace)">‹</a>
      <h1><${Service} name=${service} hue=${hue(service)} /> <bdi>${title.slice(0, 200)}</bdi></h1>
      <span title=${exactly(trace.length)}><b data-figure="duration" data-nanos=${trace.length}>${duration(trace.length)}</b></span>
      <span data-figure="spans" data-count=${trace.spans}>${counted(trace.spans, 'span')}</span>
      <span data-figure="services" data-count=${trace.services.length}>${counted(trace.services.length, 'service')}</span>
      <${Failures} failures=${failures} jump=${jump} />
      <${Whole} trace=${trace} verdict=${verdict} tells=${tells} tell=${tell} />
      <time class="soft" title=${both(trace.base)}>${clock(start)}</time>
    </div>
    <div class="line tools">
      <button class="quiet id" title="Copy the id" onClick=${() => copy(trace.id, 'id')}>${trace.id}</button>
      ${children}
      <span class="grow"></span>
      <a class="button" href=${address('compare', [trace.id])} title="With the median of its like, or another trace">Compare</a>
      <button aria-pressed=${hops.value === 'joined'} title="Show the client and the server of a hop as one row" onClick=${toggleHops}>Join hops</button>
      <button onClick=${() => copy(location.href, 'link')} title="y">Copy link</button>
      <button onClick=${copyJson} title="OTLP in JSON">Copy JSON</button>
      <button onClick=${() => download(`traces/${trace.id}`, `trace-${trace.id}.json`)} title="OTLP in JSON, which sidespan trace reads">Save JSON</button>
    </div>
  </header>`;
}

function Failures({ failures, jump }) {
  if (failures.length === 0) return html`<span class="soft" data-figure="errors" data-count="0">no errors</span>`;
  return html`<span class="failures bad"><span data-figure="errors" data-count=${failures.length}>! ${counted(failures.length, 'error')}</span>
    <button class="quiet" aria-label="Previous error" title="Previous error (E)" onClick=${() => jump(-1)}>↑</button><button class="quiet" aria-label="Next error" title="Next error (e)" onClick=${() => jump(1)}>↓</button></span>`;
}

/** Whether the trace is whole: the sink's verdict where it gives one, else what its parents tell. */
function Whole({ trace, verdict, tells, tell }) {
  const own = completeness(trace);
  const isWhole = verdict ? verdict.verdict === 'whole' : own.isWhole;
  const reasons = verdict ? verdict.findings.map(named) : own.reasons;
  const skewed = trace.skew.reduce((sum, skew) => sum + (skew > 0), 0);
  const said = isWhole ? 'whole' : `broken: ${reasons[0] ?? ''}`;
  const hasPanel = verdict && verdict.findings.length > 0;
  return html`${hasPanel
    ? html`<button class="failing ${isWhole ? 'good' : 'warn'}" data-figure="state" aria-expanded=${tells} title="The verdict (v)" onClick=${tell}>${said}${reasons.length > 1 || isWhole ? ` (${reasons.length})` : ''}</button>`
    : html`<span data-figure="state" class=${isWhole ? 'good' : 'warn'} title=${reasons.join('\n')}>${said}</span>`}
    ${skewed > 0 && html`<span class="warn" data-figure="skew" data-count=${skewed} title="A span starts before its parent. Times are shown as sent.">clocks differ in ${count(skewed)}</span>`}`;
}
