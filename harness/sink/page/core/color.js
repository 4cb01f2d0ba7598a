// The colour of a service: the same everywhere, in both themes, and in the next run. It says nothing alone: the name is always
// beside it. Lightness and strength are the theme's (`--mark-l`, `--mark-c` of `base.css`), so that all are equally easy to see.

const known = new Map();

/** Returns the hue of a service, one of 24, in degrees. */
export function hue(service) {
  let found = known.get(service);
  if (found === undefined) {
    let hash = 0x811c9dc5;
    for (let at = 0; at < service.length; at++) hash = Math.imul(hash ^ service.charCodeAt(at), 0x01000193);
    // Mixed once more, because names that end alike would be neighbours.
    hash = Math.imul(hash ^ (hash >>> 15), 0x2c1b3c6d);
    found = ((hash >>> 8) % 24) * 15;
    known.set(service, found);
  }
  return found;
}

/** Returns the properties of an element that shows a service; the style sheets read `--hue`. */
export const hued = (service) => ({ '--hue': hue(service) });

/** Returns the colour of a service for a canvas, in the theme of now. */
export function paint(service, isDark) {
  return isDark ? `oklch(0.72 0.12 ${hue(service)})` : `oklch(0.6 0.13 ${hue(service)})`;
}
