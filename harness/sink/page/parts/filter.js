// The filter field: terms as chips, a draft with completion, and a form that says the same.
import { html, useEffect, useRef, useState } from '../core/view.js';
import { completions, refresh } from './completion.js';
import { FilterForm } from './filter_form.js';
import { read, split, traceId, write } from './query.js';

const KEY_BEGINS = ['service', 'name', 'status', 'kind', 'duration', 'error'];

/** Returns the words of a draft that narrow the list while it is typed: none that may become a key. */
export function wordsOf(draft) {
  const { terms, words } = read(draft);
  return terms.length > 0 ? [] : words.filter((word) => word.length > 1 && !KEY_BEGINS.some((key) => key.startsWith(word)));
}

/** `text` is the filter, `change` takes the next, `draw` the draft's words, `open` an id that was pasted. */
export function Filter({ text, change, draw, open, times, changeTimes }) {
  const [draft, setDraft] = useState('');
  const [offers, setOffers] = useState([]);
  const [at, setAt] = useState(-1);
  const [hasForm, setForm] = useState(false);
  const field = useRef(null);
  const parts = text.trim().startsWith('{') ? [text.trim()] : split(text);
  const { terms, error } = read(text);

  const asked = useRef(0);
  const offer = async (next) => {
    const mine = ++asked.current;
    const found = await completions(next, terms);
    if (mine !== asked.current) return;
    setOffers(found);
    setAt(-1);
  };
  const write_ = (next) => {
    setDraft(next);
    draw(wordsOf(next));
    offer(next);
  };
  const commit = (more) => {
    const whole = more.trim();
    asked.current++;
    setOffers([]);
    setDraft('');
    draw([]);
    if (!whole) return;
    const id = traceId(whole);
    if (id) open(id);
    else if (whole.startsWith('{')) change(whole);
    else change([...parts, whole].join(' '));
  };
  const pick = (it) => (it.isWhole ? commit(it.text) : write_(it.text));
  const remove = (nth) => {
    change(parts.filter((_, index) => index !== nth).join(' '));
    field.current?.focus();
  };
  const keys = (event) => {
    const step = { ArrowDown: 1, ArrowUp: -1 }[event.key];
    if (step && offers.length > 0) setAt((at + 1 + step + offers.length + 1) % (offers.length + 1) - 1);
    else if (event.key === 'Tab' && offers.length > 0 && draft && !event.shiftKey) pick(offers[Math.max(at, 0)]);
    else if (event.key === 'Enter') at >= 0 ? pick(offers[at]) : commit(draft);
    else if (event.key === 'Backspace' && draft === '' && parts.length > 0) {
      change(parts.slice(0, -1).join(' '));
      write_(parts.at(-1));
    } else if (event.key === 'Escape') {
      if (offers.length > 0) setOffers([]);
      else event.target.blur();
    } else return;
    event.preventDefault();
    event.stopPropagation();
  };
  useEffect(() => {
    const slash = (event) => {
      if (event.key !== '/' || event.target.closest?.('input, textarea, select')) return;
      event.preventDefault();
      field.current?.focus();
    };
    addEventListener('keydown', slash);
    return () => removeEventListener('keydown', slash);
  }, []);

  return html`<div class="filter">
    <div class="field" onMouseDown=${(event) => {
      if (event.target.closest('button, input, li')) return;
      event.preventDefault();
      field.current?.focus();
    }}>
      ${parts.map((part, nth) => html`<span class="chip" key=${part + nth}><bdi>${part}</bdi><button class="quiet" aria-label="Remove ${part}" onClick=${() => remove(nth)}>×</button></span>`)}
      <input ref=${field} value=${draft} role="combobox" aria-label="Filter" aria-expanded=${offers.length > 0} aria-controls="offers"
        aria-autocomplete="list" aria-activedescendant=${at >= 0 ? `offer-${at}` : undefined} autocomplete="off" spellcheck=${false}
        placeholder=${parts.length === 0 ? 'service:cart  status:error  duration:>200ms  http.route=/pay, or a trace id' : ''}
        onInput=${(event) => write_(event.target.value)} onKeyDown=${keys}
        onFocus=${() => { refresh().then(() => document.activeElement === field.current && offer(field.current.value)); }} onBlur=${() => setOffers([])} />
      <ul id="offers" role="listbox" aria-label="Completions" hidden=${offers.length === 0}>
        ${offers.map((it, nth) => html`<li role="option" id="offer-${nth}" aria-selected=${nth === at}
          onMouseDown=${(event) => { event.preventDefault(); pick(it); }}><bdi>${it.text}</bdi><small>${it.hint}</small></li>`)}
      </ul>
    </div>
    <button aria-expanded=${hasForm} onClick=${() => setForm(!hasForm)}>Form</button>
    ${error && html`<p class="wrong" role="alert">${error}</p>`}
    ${hasForm && html`<${FilterForm} terms=${terms} words=${read(text).words} change=${(next) => change(next.map(write).join(' '))}
      times=${times} changeTimes=${changeTimes} close=${() => setForm(false)} />`}
  </div>`;
}
