// A trace: its head, the minimap, the rows, and the panel of the chosen span.
import { html, useEffect, useLayoutEffect, useMemo, useRef, useSignal } from '../core/view.js';
import { address, go, listAddress } from '../core/router.js';
import { open } from '../core/data.js';
import { preference } from '../core/state.js';
import { useKeys } from '../parts/keys.js';
import { Minimap } from '../parts/minimap.js';
import { Failure } from '../parts/panel.js';
import { Waterfall } from '../parts/waterfall.js';
import { failures, following, hasBelow, hiding, isJoined, moved, visible, zoomed } from '../parts/model.js';
import { marked, useVerdict } from '../parts/verdict.js';
import { Head } from './trace_head.js';
import { Find } from './trace_find.js';
import { Span } from './span.js';
import { Verdict } from './verdict.js';

const joinsHops = preference('hops', 'joined');

export function Trace({ parts, params }) {
  const [id, , spanId] = parts;
  const trace = useSignal(null);
  const error = useSignal(null);
  const time = useSignal([0, 1]);
  const folded = useSignal(new Set());
  const opened = useSignal(new Set());
  const span = useSignal(null);
  const found = useSignal({ words: params.get('find') ?? '', nodes: [] });
  const job = useRef(null);
  const controls = useRef(null);

  useEffect(() => {
    const take = (message) => {
      if (message.type === 'trace') {
        const length = message.trace.length || 1;
        const before = trace.peek();
        const isFirst = before === null;
        if (before) {
          const to = moved(before, message.trace);
          folded.value = new Set(to([...folded.peek()]));
          opened.value = new Set(to([...opened.peek()]));
          const [node] = span.peek() ? to([span.peek().node]) : [];
          span.value = node === undefined ? null : { ...span.peek(), node };
        }
        trace.value = { ...message.trace, length };
        if (isFirst || time.value[1] > length) time.value = [0, length];
        if (found.peek().words) job.current.send({ find: found.peek().words });
        if (isFirst) requestAnimationFrame(() => controls.current?.focus());
      } else if (message.type === 'span') span.value = message;
      else if (message.type === 'found') found.value = { ...found.value, nodes: Array.from(message.nodes) };
      else if (message.type === 'error') error.value = message;
    };
    job.current = open('trace', { id, live: true }, take);
    return () => job.current.close();
  }, [id]);

  const it = trace.value;
  const view = { opened: opened.value, joins: joinsHops.value === 'joined' };
  const shown = useMemo(() => it && visible(it, { folded: folded.value, ...view }), [it, folded.value, opened.value, view.joins]);
  const chosen = it && spanId ? it.spanIds.indexOf(spanId) : -1;
  const foundNodes = useMemo(() => new Set(found.value.nodes), [found.value]);

  // A broken trace says so at once; one with warnings when it is asked.
  const verdict = useVerdict(it);
  const marks = useMemo(() => it && marked(it, verdict), [it, verdict]);
  const wantsVerdict = useSignal(null);
  const tells = verdict?.findings.length > 0 && (wantsVerdict.value ?? verdict.verdict !== 'whole');
  const toggleVerdict = () => (wantsVerdict.value = !tells);

  // The chosen span's details, once more where spans have come.
  useLayoutEffect(() => {
    if (it && chosen >= 0) job.current.send({ span: chosen });
  }, [it, chosen]);
  // Its row in sight, when it is chosen and before the next key: a fold that comes after the choice stays.
  useLayoutEffect(() => {
    if (chosen < 0) return;
    const hidden = hiding(it, chosen, view).filter((node) => folded.value.has(node));
    if (hidden.length > 0) folded.value = new Set([...folded.value].filter((node) => !hidden.includes(node)));
  }, [spanId, chosen < 0]);
  // The last span stays until the next one's details are here, or the panel would flicker; and with it the rows have less room.
  const isOpen = chosen >= 0 && span.value !== null && span.value.node < (it?.parent.length ?? 0);
  useEffect(() => {
    if (it && chosen >= 0) controls.current?.reveal(shown.rowOf[chosen]);
  }, [it, chosen, shown, isOpen]);

  if (error.value) return html`<${Failure} error=${error.value} again=${() => location.reload()} />`;
  if (!it) return html`<div class="skeleton" aria-busy="true" aria-label="Loading">${[9, 7, 8, 5, 6, 4].map((width) => html`<i style=${{ width: `${width * 10}%` }}></i>`)}</div>`;

  // Each step within a trace replaces the last, so that "back" leads to where one came from.
  const choose = (node) => node >= 0 && go(address('trace', [id, 'span', it.spanIds[node]], Object.fromEntries(params)), { replace: spanId !== undefined });
  const close = () => {
    go(address('trace', [id]), { replace: true });
    controls.current?.focus();
  };
  const fold = (node, on = !folded.value.has(node)) => {
    const next = new Set(folded.value);
    if (on) next.add(node);
    else next.delete(node);
    folded.value = next;
  };
  const row = chosen < 0 ? -1 : shown.rowOf[chosen];
  const told = (node) => (isJoined(it, node, view) ? node + 1 : node);
  const step = (by) => choose(told(shown.nodes[Math.max(0, Math.min(shown.nodes.length - 1, row + by))]));
  const lead = row < 0 ? -1 : shown.nodes[row];
  const unfoldOrDown = () => {
    if (lead < 0) return step(1);
    if (folded.value.has(lead)) fold(lead, false);
    else if (hasBelow(it, lead, isJoined(it, lead, view))) step(1);
  };
  const foldOrUp = () => {
    if (lead < 0) return;
    const joined = isJoined(it, lead, view);
    if (hasBelow(it, lead, joined) && !folded.value.has(lead)) fold(lead, true);
    else toParent();
  };
  const toParent = () => {
    let parent = lead < 0 ? -1 : it.parent[lead];
    if (parent >= 0 && it.spanIds[parent] === '') parent = it.parent[parent];
    if (parent >= 0) choose(told(shown.nodes[shown.rowOf[parent]]));
  };
  const fails = failures(it);
  const jump = (by) => choose(following(fails, chosen, by));
  const middle = () => (chosen >= 0 ? (it.start[chosen] + it.stop[chosen]) / 2 : (time.value[0] + time.value[1]) / 2);
  const zoom = (next) => (time.value = next);
  const actions = {
    choose,
    fold,
    zoom,
    time: () => time.peek(),
    open: (node) => (opened.value = new Set([...opened.value, node])),
  };
  return html`<section class="trace" aria-label="Trace">
    <${Head} trace=${it} verdict=${verdict} tells=${tells} tell=${toggleVerdict} jump=${jump} failures=${fails} hops=${joinsHops} closeHops=${() => (opened.value = new Set())}>
      <${Find} found=${found} send=${(words) => job.current.send({ find: words })} chosen=${chosen} choose=${choose} />
    <//>
    ${tells && html`<${Verdict} trace=${it} verdict=${verdict} choose=${choose} close=${toggleVerdict} />`}
    <${Minimap} trace=${it} time=${time.value} change=${zoom} />
    <${Waterfall} trace=${it} shown=${shown} chosen=${chosen} found=${foundNodes} marks=${marks} fold=${folded.value} time=${time.value} act=${actions} view=${view} controls=${controls} />
    ${isOpen && html`<${Span} trace=${it} node=${span.value.node} span=${span.value.span} choose=${choose} close=${close} />`}
    <${Hands} table=${[
      { keys: ['j', 'ArrowDown'], does: 'next row', act: () => step(1) },
      { keys: ['k', 'ArrowUp'], does: 'previous row', act: () => step(-1) },
      { keys: ['h', 'ArrowLeft'], does: 'folds, or to the parent', act: foldOrUp },
      { keys: ['l', 'ArrowRight'], does: 'unfolds, or to the first child', act: unfoldOrDown },
      { keys: ['Enter'], does: 'opens the span, or the hop', act: () => enter({ lead, row, step, actions, it, view }) },
      { keys: ['Home'], act: () => step(-it.parent.length) },
      { keys: ['End'], act: () => step(it.parent.length) },
      { keys: ['PageDown'], act: () => step(20) },
      { keys: ['PageUp'], act: () => step(-20) },
      { keys: ['e'], does: 'next error', act: () => jump(1) },
      { keys: ['E'], does: 'previous error', act: () => jump(-1) },
      { keys: ['n'], does: 'next match', act: () => choose(following(found.value.nodes, chosen, 1)) },
      { keys: ['N'], does: 'previous match', act: () => choose(following(found.value.nodes, chosen, -1)) },
      { keys: ['p'], does: 'parent', act: toParent },
      { keys: ['c'], does: 'first child', act: () => lead >= 0 && hasBelow(it, lead, isJoined(it, lead, view)) && (fold(lead, false), choose(told(lead + (isJoined(it, lead, view) ? 2 : 1)))) },
      { keys: ['+', '='], does: 'zooms in, around the chosen span', act: () => zoom(zoomed(time.value, 0.5, middle(), it.length)) },
      { keys: ['-'], does: 'zooms out', act: () => zoom(zoomed(time.value, 2, middle(), it.length)) },
      { keys: ['0'], does: 'the whole trace', act: () => zoom([0, it.length]) },
      { keys: ['v'], does: 'the verdict', act: toggleVerdict },
      { keys: ['Escape'], act: () => (chosen >= 0 ? close() : false) },
      { keys: ['Backspace'], act: () => go(listAddress()) },
    ]} />
  </section>`;
}

/** Enter chooses the first row, or opens the chosen hop. */
function enter({ lead, row, step, actions, it, view }) {
  if (row < 0) step(1);
  else if (isJoined(it, lead, view)) actions.open(lead);
}

/** The keys, in a component of their own because the screen has no rows before the trace is there. */
function Hands({ table }) {
  useKeys(table);
  return null;
}
