// The traces as dots over time, the slow ones high; a drag narrows the time, a click opens the nearest.
import uPlot from 'uplot';
import { html, useEffect, useRef } from '../core/view.js';
import { isDark } from '../core/state.js';
import { clock, duration } from '../core/time.js';

const HEIGHT = 108;
/** The least duration that is drawn, because a logarithm has no zero. */
const FLOOR = 1000;

function colour(name) {
  return getComputedStyle(document.documentElement).getPropertyValue(name).trim();
}

/** `x` are seconds since 1970, `y` nanoseconds, `failed` 0 or 1; `narrow` gets two times in seconds, `open` a place. */
export function Dots({ x, y, failed, narrow, open }) {
  const box = useRef(null);
  const plot = useRef(null);
  const latest = useRef({});
  latest.current = { narrow, open, x };
  const dark = isDark();

  useEffect(() => {
    const axis = { stroke: colour('--soft'), grid: { stroke: colour('--line'), width: 1 }, ticks: { show: false }, font: '11px system-ui' };
    const dots = (stroke, size) => ({ paths: () => null, points: { show: true, size, stroke, fill: stroke, width: 0 } });
    const options = {
      width: box.current.clientWidth || 600,
      height: HEIGHT,
      legend: { show: false },
      cursor: { y: false, drag: { x: true, y: false, setScale: false }, points: { show: false } },
      padding: [6, 30, 0, 0],
      scales: { x: { time: true }, y: { distr: 3, range: (_, least, most) => [Math.max(least, FLOOR) / 1.6, Math.max(most, FLOOR) * 1.6] } },
      axes: [
        { ...axis, size: 20, space: 90, values: (_, all, __, ___, step) => all.map((it) => hour(it, step)) },
        { ...axis, size: 58, splits: (_, __, least, most) => steps(least, most), filter: (_, all) => all, values: (_, all) => all.map(duration) },
      ],
      series: [{}, dots(colour('--dot'), 4), dots(colour('--error'), 6)],
      hooks: {
        setSelect: [
          (it) => {
            if (it.select.width < 4) return;
            const [from, to] = [it.select.left, it.select.left + it.select.width].map((at) => it.posToVal(at, 'x'));
            it.setSelect({ left: 0, width: 0, top: 0, height: 0 }, false);
            latest.current.narrow(from, to);
          },
        ],
      },
    };
    const drawn = new uPlot(options, [[], [], []], box.current);
    plot.current = drawn;
    let pressed = 0;
    drawn.over.addEventListener('mousedown', (event) => (pressed = event.clientX));
    drawn.over.addEventListener('click', (event) => {
      if (Math.abs(event.clientX - pressed) > 3) return;
      const at = nearest(drawn, latest.current.x, event);
      if (at >= 0) latest.current.open(at);
    });
    const resized = new ResizeObserver(([{ contentRect }]) => drawn.setSize({ width: contentRect.width, height: HEIGHT }));
    resized.observe(box.current);
    return () => {
      resized.disconnect();
      drawn.destroy();
      plot.current = null;
    };
  }, [dark]);

  useEffect(() => {
    const split = (want) => Array.from(y, (value, at) => (failed[at] === want ? Math.max(value, FLOOR) : null));
    plot.current?.setData([Array.from(x), split(0), split(1)]);
  }, [x, dark]);

  const [first, last] = [x[0], x[x.length - 1]];
  const said = x.length === 0 ? 'no traces' : `${x.length} traces from ${clock(first * 1000)} to ${clock(last * 1000)}`;
  return html`<div class="dots" role="img" aria-label="Duration over time: ${said}. The form narrows the time without a pointer." ref=${box}></div>`;
}

/** Returns round durations between two, few enough to be read. */
function steps(least, most) {
  const tens = (factors) => {
    const all = [];
    for (let size = 10 ** Math.floor(Math.log10(least)); size <= most; size *= 10) {
      for (const factor of factors) if (factor * size >= least && factor * size <= most) all.push(factor * size);
    }
    return all;
  };
  const few = tens([1]);
  if (few.length > 4) return few.filter((_, at) => at % 2 === 0);
  return few.length > 1 ? few : tens(few.length === 1 && most / least > 20 ? [1, 3] : [1, 2, 5]);
}

/** Returns a moment as the axis says it: the day where days are apart, seconds where they are. */
function hour(seconds, step) {
  const text = clock(seconds * 1000, seconds * 1000);
  return step >= 86400 ? new Date(seconds * 1000).toISOString().slice(5, 10) : text.slice(0, step < 60 ? 8 : 5);
}

/** Returns the dot within a few pixels of the pointer, or -1. */
function nearest(plot, x, event) {
  const { left, top } = plot.over.getBoundingClientRect();
  const [px, py] = [event.clientX - left, event.clientY - top];
  let [best, least] = [-1, 10];
  for (let at = 0; at < x.length; at++) {
    const value = plot.data[1][at] ?? plot.data[2][at];
    const far = Math.hypot(plot.valToPos(x[at], 'x') - px, plot.valToPos(value, 'y') - py);
    if (far < least) [best, least] = [at, far];
  }
  return best;
}
