// Rows of one height, of which only those in sight are in the document.
import '../core/environment.js';
import { Virtualizer, elementScroll, observeElementOffset, observeElementRect } from '@tanstack/virtual-core';
import { useEffect, useLayoutEffect, useRef, useState } from '../core/view.js';

/** Returns `{ items, total, reveal }`, an item being `{ index, start, place }` where `place` is its key, of `count` rows in the element that `scroller` refers to. */
export function useRows(scroller, count, height, { overscan = 8 } = {}) {
  const [, redraw] = useState(0);
  const kept = useRef(null);
  const options = {
    count,
    getScrollElement: () => scroller.current,
    estimateSize: () => height,
    overscan,
    scrollToFn: elementScroll,
    observeElementRect,
    observeElementOffset,
    initialRect: { width: 0, height: 600 },
    onChange: () => redraw((times) => times + 1),
  };
  kept.current ??= new Virtualizer(options);
  kept.current.setOptions(options);
  useEffect(() => kept.current._didMount(), []);
  useLayoutEffect(() => kept.current._willUpdate());
  useLayoutEffect(() => kept.current.measure(), [height]);
  const items = kept.current.getVirtualItems();
  // Rows that leave become those that come, because to change a row costs less than to make one.
  const places = useRef(32);
  while (places.current < items.length + 2) places.current += 16;
  return {
    items: items.map(({ index, start }) => ({ index, start, place: index % places.current })),
    total: kept.current.getTotalSize(),
    /** Brings a row into sight, and no further. */
    reveal: (index) => {
      const element = scroller.current;
      if (!element) return;
      const [from, to] = [index * height, (index + 1) * height];
      const covered = parseFloat(getComputedStyle(element).scrollPaddingTop) || 0;
      if (from < element.scrollTop) element.scrollTop = from;
      else if (to > element.scrollTop + element.clientHeight - covered) element.scrollTop = to - element.clientHeight + covered;
    },
  };
}
