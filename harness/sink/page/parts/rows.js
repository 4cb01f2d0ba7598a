// Rows of one height, of which only those in sight are in the document.
import '../core/environment.js';
import { Virtualizer, elementScroll, observeElementOffset, observeElementRect } from '@tanstack/virtual-core';
import { useEffect, useLayoutEffect, useRef, useState } from '../core/view.js';

/** Returns `{ items, total, reveal }` of `count` rows in the element that `scroller` refers to. */
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
  return {
    items: kept.current.getVirtualItems(),
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
