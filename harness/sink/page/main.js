// The page: the address chooses a screen, the frame is around it.
//
// A screen is a component in `screens/`, a line in SCREENS here, and a style sheet in `index.html` where it needs one; `README.md`
// says more.
import { html, render } from './core/view.js';
import { address, route, start } from './core/router.js';
import { copy, token } from './core/state.js';
import { Frame, helpIsOpen } from './parts/frame.js';
import { isTyping } from './parts/keys.js';
import { Compare } from './screens/compare.js';
import { List } from './screens/list.js';
import { ServiceMap } from './screens/map.js';
import { Trace } from './screens/trace.js';

/** The screens by the first step of their address; each gets `parts` and `params`, and is made anew where `key` differs. */
const SCREENS = {
  traces: { of: List },
  map: { of: ServiceMap },
  compare: { of: Compare, key: (ids) => ids.join('/') },
  trace: { of: Trace, key: ([id]) => id },
};

/** The screens that the head leads to. */
const LINKS = [{ name: 'Traces', screen: 'traces' }, { name: 'Map', screen: 'map' }];

function Nothing() {
  return html`<section class="failure" role="alert"><p>No screen has this address.</p><a href=${address('traces')}>All traces</a></section>`;
}

function Page() {
  const { screen, parts, params } = route.value;
  const { of: Screen, key } = SCREENS[screen] ?? { of: Nothing };
  const identity = `${screen}/${key?.(parts) ?? ''}/${token.value ? 1 : 0}`;
  return html`<${Frame} links=${LINKS}><${Screen} key=${identity} parts=${parts} params=${params} /><//>`;
}

addEventListener('keydown', (event) => {
  if (event.ctrlKey || event.metaKey || event.altKey || isTyping(event.target)) return;
  if (event.key === '?') helpIsOpen.value = !helpIsOpen.value;
  else if (event.key === 'Escape' && helpIsOpen.value) helpIsOpen.value = false;
  else if (event.key === 'y') copy(location.href, 'link');
  else return;
  event.preventDefault();
});

start();
const page = document.getElementById('page');
page.replaceChildren();
render(html`<${Page} />`, page);
