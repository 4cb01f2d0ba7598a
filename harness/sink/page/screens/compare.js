// Two traces by structure: what is only in one, and what took longer. Without a second, a trace and the median of its like.
import { html, useEffect, useRef, useSignal, useState } from '../core/view.js';
import { hue } from '../core/color.js';
import { open } from '../core/data.js';
import { address, go } from '../core/router.js';
import { both, clock, counted, duration, exactly } from '../core/time.js';
import { causes, difference, state } from '../parts/difference.js';
import { Failure, Service } from '../parts/panel.js';
import { traceId } from '../parts/query.js';
import { Rows } from './compare_rows.js';

export function Compare({ parts }) {
  const [a, b = ''] = parts;
  const found = useSignal(null);
  const error = useSignal(null);
  const chosen = useSignal(-1);
  useEffect(() => {
    if (!a) return undefined;
    const take = (message) => {
      if (message.type === 'comparison') found.value = message;
      else if (message.type === 'error') error.value = message;
    };
    const job = open('compare', { a, b }, take);
    return () => job.close();
  }, [a, b]);

  if (!a) return html`<section class="compare"><h1 class="none">Which traces?</h1><${Other} a="" /></section>`;
  if (error.value) return html`<section class="compare"><${Failure} error=${error.value} /><${Other} a=${a} /></section>`;
  if (!found.value) return html`<div class="skeleton" aria-busy="true" aria-label="Loading">${[9, 7, 8, 5].map((width) => html`<i style=${{ width: `${width * 10}%` }}></i>`)}</div>`;
  const it = found.value;
  return html`<section class="compare" aria-label="Comparison">
    <header class="comparehead">
      <div class="sides">
        <${Side} letter="A" side=${it.a} />
        ${b ? html`<${Side} letter="B" side=${it.b} />` : html`<${Like} like=${it.b} of=${it.a} />`}
      </div>
      <div class="line tools">
        ${b && html`<button onClick=${() => go(address('compare', [b, a]))} title="A becomes B (x)">Swap</button>
          <a class="button" href=${address('compare', [a])}>A with its like</a>`}
        <${Other} a=${a} />
      </div>
      ${it.b.traces > 0 && html`<${Summary} it=${it} choose=${(at) => (chosen.value = at)} />`}
    </header>
    ${it.b.traces > 0 && html`<${Rows} rows=${it.rows} heads=${[it.a, it.b]} chosen=${chosen.value} choose=${(at) => (chosen.value = at)} swap=${b ? () => go(address('compare', [b, a])) : null} />`}
  </section>`;
}

const Took = ({ letter, nanos }) => html`<b data-figure="duration-${letter}" data-nanos=${nanos} title=${exactly(nanos)}>${duration(nanos)}</b>`;

function Side({ letter, side }) {
  const at = Number(BigInt(side.startNano) / 1000000n);
  return html`<div class="side" data-side=${letter}>
    <b class="letter">${letter}</b>
    <a class="title" href=${address('trace', [side.id])}><${Service} name=${side.service} hue=${hue(side.service)} /> <bdi>${side.name.slice(0, 200)}</bdi></a>
    <span><${Took} letter=${letter} nanos=${side.duration} /> ${counted(side.spans, 'span')}${side.errors > 0 ? html` <span class="bad">! ${counted(side.errors, 'error')}</span>` : ''}</span>
    <time class="soft" title=${both(side.startNano)}>${clock(at)}</time>
    <code class="soft">${side.id.slice(0, 8)}</code>
  </div>`;
}

function Like({ like, of }) {
  if (like.traces === 0) return html`<div class="side"><b class="letter">B</b><span class="warn">No other trace here begins with <bdi>${of.service}</bdi> <bdi>${of.name}</bdi>: name one below.</span></div>`;
  return html`<div class="side" data-side="B">
    <b class="letter">B</b>
    <span class="title">median of <b data-figure="like" data-count=${like.traces}>${counted(like.traces, 'trace')}</b> with the same root</span>
    <span><${Took} letter="B" nanos=${like.duration} /> ${counted(like.spans, 'span')}${like.errors > 0 ? html` <span class="bad">! ${counted(like.errors, 'error')}</span>` : ''}</span>
  </div>`;
}

/** The field for another trace to compare with. */
function Other({ a }) {
  const [text, write] = useState('');
  const [wrong, refuse] = useState('');
  const field = useRef(null);
  const send = (event) => {
    event.preventDefault();
    // An address of a trace will do, this page's or Jaeger's.
    const id = traceId(text) ?? /[0-9a-f]{32}/i.exec(text)?.[0].toLowerCase() ?? (/^[0-9a-f]{4,32}$/i.test(text.trim()) ? text.trim().toLowerCase() : null);
    if (!id) {
      refuse('Expected the id of a trace, or its first digits');
      field.current?.focus();
      return;
    }
    go(address('compare', a ? [a, id] : [id]));
  };
  return html`<form class="other" onSubmit=${send}>
    <label>with <input ref=${field} value=${text} placeholder="id or address of a trace" spellcheck=${false} autocomplete="off" aria-invalid=${wrong !== ''} onInput=${(event) => { write(event.target.value); refuse(''); }} /></label>
    <button>Compare</button>
    ${wrong && html`<span class="wrong" role="alert">${wrong}</span>`}
  </form>`;
}

/** How much longer, and where. */
function Summary({ it, choose }) {
  const { a, b, rows } = it;
  const by = a.duration - b.duration;
  const found = causes(rows);
  const counts = { a: 0, b: 0 };
  for (const row of rows) if (state(row) in counts) counts[state(row)] += 1;
  return html`<p class="summary">
    <span data-figure="difference" data-nanos=${by}>${by === 0 ? 'Both take as long.' : html`A is <b>${duration(Math.abs(by))}</b> ${by > 0 ? 'longer' : 'shorter'}.`}</span>
    ${found.length > 0 && html`${by > 0 ? ' Longer' : by < 0 ? ' Shorter' : ' Different'} by itself: `}
    ${found.map(({ at, by }, nth) => html`${nth > 0 ? ', ' : ''}<button class="quiet" data-cause=${rows[at].name} data-nanos=${by} onClick=${() => choose(at)}><${Service} name=${rows[at].service} hue=${hue(rows[at].service)} /> <bdi>${rows[at].name.slice(0, 80)}</bdi> <b>${signed(by)}</b></button>`)}
    ${counts.a > 0 && html` <span data-figure="only-a" data-count=${counts.a}>${counted(counts.a, 'span')} only in A.</span>`}
    ${counts.b > 0 && html` <span data-figure="only-b" data-count=${counts.b}>${counted(counts.b, 'span')} only in B.</span>`}
  </p>`;
}

const signed = (nanos) => `${nanos > 0 ? '+' : ''}${duration(nanos)}`;
