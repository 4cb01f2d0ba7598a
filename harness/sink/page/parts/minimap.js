// The whole trace, small: a drag chooses the stretch of time that the rows show.
import { html, useEffect, useRef } from '../core/view.js';
import { paint } from '../core/color.js';
import { isDark } from '../core/state.js';
import { duration } from '../core/time.js';
import { ERROR } from './model.js';

const HEIGHT = 40;

/** `time` is the shown stretch, `change` takes the next. */
export function Minimap({ trace, time, change }) {
  const canvas = useRef(null);
  const dark = isDark();
  useEffect(() => {
    const drawAll = () => draw(canvas.current, trace, dark);
    drawAll();
    const resized = new ResizeObserver(drawAll);
    resized.observe(canvas.current);
    return () => resized.disconnect();
  }, [trace, dark]);
  const pressed = (event) => {
    const { left, width } = canvas.current.getBoundingClientRect();
    const moment = ({ clientX }) => Math.min(Math.max((clientX - left) / width, 0), 1) * trace.length;
    dragTime(event, moment, (from, to) => change(to - from < trace.length / 200 ? [0, trace.length] : [from, to]));
  };
  const [from, to] = time;
  const left = (100 * from) / trace.length;
  const right = 100 - (100 * to) / trace.length;
  return html`<div class="minimap" role="img" aria-label="Shown: ${duration(from)} to ${duration(to)} of ${duration(trace.length)}. Plus, minus and 0 zoom."
    title="Drag to zoom, click for all" onPointerDown=${pressed}>
    <canvas ref=${canvas} height=${HEIGHT}></canvas>
    <i class="out" style=${{ left: 0, width: `${left}%` }}></i><i class="out" style=${{ right: 0, width: `${right}%` }}></i>
  </div>`;
}

/** Follows a drag from one moment to another, and tells both in order, while it lasts and at its end. */
export function dragTime(event, moment, tell) {
  if (event.button !== 0) return;
  event.preventDefault();
  const begun = moment(event);
  const target = event.currentTarget;
  target.setPointerCapture(event.pointerId);
  const move = (next) => {
    const now = moment(next);
    tell(Math.min(begun, now), Math.max(begun, now));
  };
  const up = (last) => {
    move(last);
    target.removeEventListener('pointermove', move);
    target.removeEventListener('pointerup', up);
  };
  target.addEventListener('pointermove', move);
  target.addEventListener('pointerup', up);
}

/** Draws every span as a line, in the order of the rows; where lines share a pixel, errors are on top. */
function draw(canvas, trace, dark) {
  if (!canvas) return;
  const ratio = devicePixelRatio || 1;
  const width = canvas.clientWidth;
  canvas.width = Math.max(1, width * ratio);
  canvas.height = HEIGHT * ratio;
  const context = canvas.getContext('2d');
  context.scale(ratio, ratio);
  const total = trace.start.length;
  const step = (HEIGHT - 6) / Math.max(total, 1);
  const thick = Math.max(1, Math.min(step * 0.7, 6));
  const colours = trace.services.map((name) => paint(name, dark));
  const error = getComputedStyle(document.documentElement).getPropertyValue('--error').trim();
  const line = (node, colour) => {
    context.fillStyle = colour;
    const x = (trace.start[node] / trace.length) * width;
    const long = ((trace.stop[node] - trace.start[node]) / trace.length) * width;
    context.fillRect(x, 3 + node * step, Math.max(long, 1), thick);
  };
  // More lines than this are not told apart on 40 pixels, and would take long.
  const every = Math.max(1, Math.floor(total / 4000));
  for (let node = 0; node < total; node += every) if (trace.service[node] >= 0) line(node, colours[trace.service[node]]);
  for (let node = 0; node < total; node++) if (trace.flags[node] & ERROR) line(node, error);
}
