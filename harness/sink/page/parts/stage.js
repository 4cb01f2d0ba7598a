// A drawing that is moved and zoomed: by dragging, by the wheel, by keys; what gets the focus comes into sight.
import { html, useEffect, useLayoutEffect, useRef, useState } from '../core/view.js';
import { useKeys } from './keys.js';

/** The least and the greatest zoom, and the one that a drawing is not enlarged beyond to fill the stage. */
const [LEAST, MOST, WHOLE] = [0.15, 2.5, 1];
/** The pixels that a press may move and still be a click. */
const STILL = 4;

/** Returns the view that shows all of a drawing, in the middle. */
export function whole({ width, height }, box) {
  const scale = Math.max(LEAST, Math.min(WHOLE, box.width / Math.max(width, 1), box.height / Math.max(height, 1)));
  return { scale, x: Math.max(0, (box.width - width * scale) / 2), y: Math.max(0, (box.height - height * scale) / 2) };
}

/** Returns a view zoomed by a factor around a point of the stage. */
export function zoomed(view, factor, { x, y }) {
  const scale = Math.max(LEAST, Math.min(MOST, view.scale * factor));
  const by = scale / view.scale;
  return { scale, x: x - (x - view.x) * by, y: y - (y - view.y) * by };
}

/** `width` and `height` are the drawing's own; `keys` are more keys of the screen. */
export function Stage({ width, height, label, keys = [], children }) {
  const stage = useRef(null);
  const [view, setView] = useState({ scale: 1, x: 0, y: 0 });
  const moved = useRef(false);
  const isChanged = useRef(false);
  const box = () => stage.current.getBoundingClientRect();
  const change = (next) => {
    isChanged.current = true;
    setView(next);
  };
  const fit = () => {
    isChanged.current = false;
    setView(whole({ width, height }, box()));
  };
  // Until somebody has moved it, all of it is in sight.
  useLayoutEffect(() => {
    if (!isChanged.current) fit();
  }, [width, height]);
  useEffect(() => {
    const watch = new ResizeObserver(() => !isChanged.current && fit());
    watch.observe(stage.current);
    return () => watch.disconnect();
  }, [width, height]);

  const middle = () => ({ x: box().width / 2, y: box().height / 2 });
  const zoom = (factor) => change(zoomed(view, factor, middle()));
  useKeys([
    ...keys,
    { keys: ['+', '='], does: 'zooms in', act: () => zoom(1.25) },
    { keys: ['-'], does: 'zooms out', act: () => zoom(0.8) },
    { keys: ['0'], does: 'all of it', act: fit },
  ]);

  const press = (event) => {
    if (event.button !== 0) return;
    moved.current = false;
    const from = { x: event.clientX, y: event.clientY };
    const start = view;
    const move = (now) => {
      const [x, y] = [now.clientX - from.x, now.clientY - from.y];
      if (!moved.current && Math.hypot(x, y) < STILL) return;
      moved.current = true;
      change({ ...start, x: start.x + x, y: start.y + y });
    };
    const end = () => {
      removeEventListener('pointermove', move);
      removeEventListener('pointerup', end);
      removeEventListener('pointercancel', end);
    };
    addEventListener('pointermove', move);
    addEventListener('pointerup', end);
    addEventListener('pointercancel', end);
  };
  // The end of a drag on a link is no click on it.
  const click = (event) => {
    if (moved.current) event.preventDefault();
  };
  useEffect(() => {
    const turn = (event) => {
      event.preventDefault();
      const { left, top } = box();
      isChanged.current = true;
      setView((view) =>
        event.ctrlKey || event.metaKey
          ? zoomed(view, Math.exp(-event.deltaY / 300), { x: event.clientX - left, y: event.clientY - top })
          : { ...view, x: view.x - event.deltaX, y: view.y - event.deltaY },
      );
    };
    const element = stage.current;
    element.addEventListener('wheel', turn, { passive: false });
    return () => element.removeEventListener('wheel', turn);
  }, []);
  const focus = (event) => {
    if (!event.target.matches(':focus-visible')) return;
    // The browser would scroll the stage, which moves by its view alone.
    stage.current.scrollTo(0, 0);
    const [own, all] = [event.target.getBoundingClientRect(), box()];
    const by = (from, to, low, high) => (from < low ? low - from : to > high ? high - to : 0);
    const [x, y] = [by(own.left, own.right, all.left + 8, all.right - 8), by(own.top, own.bottom, all.top + 8, all.bottom - 8)];
    if (x !== 0 || y !== 0) change({ ...view, x: view.x + x, y: view.y + y });
  };
  return html`<div class="stage" ref=${stage} role="group" aria-label=${label} onPointerDown=${press} onClickCapture=${click} onFocusIn=${focus}>
    <div class="drawing" style=${{ width: `${width}px`, height: `${height}px`, transform: `translate(${view.x}px, ${view.y}px) scale(${view.scale})` }}>${children}</div>
    <div class="zooms">
      <button aria-label="Zoom in" title="Zoom in (+)" onClick=${() => zoom(1.25)}>+</button>
      <button aria-label="Zoom out" title="Zoom out (-)" onClick=${() => zoom(0.8)}>−</button>
      <button aria-label="All of it" title="All of it (0)" onClick=${fit}>⤢</button>
    </div>
  </div>`;
}
