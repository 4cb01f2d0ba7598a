// Times and durations as people say them, and exactly.

const UNITS = [
  [1e9, 's'],
  [1e6, 'ms'],
  [1e3, 'µs'],
  [1, 'ns'],
];

/** Returns a duration in nanoseconds in two or three digits: `850 ns`, `9.6 ms`, `412 ms`, `1.2 s`, `2 min 5 s`. */
export function duration(nanos) {
  if (nanos === 0) return '0';
  if (nanos < 0) return `−${duration(-nanos)}`;
  if (nanos >= 59.95e9) return minutes(Math.round(nanos / 1e9));
  // 999.6 µs is 1.0 ms, not 1000 µs.
  const [size, unit] = UNITS.find(([size]) => nanos >= size * 0.9995) ?? UNITS[3];
  const value = nanos / size;
  const text = value >= 9.95 || size === 1 ? Math.round(value).toString() : value.toFixed(1);
  return `${text === '0.0' ? '0' : text} ${unit}`;
}

function minutes(seconds) {
  const [h, m, s] = [Math.floor(seconds / 3600), Math.floor(seconds / 60) % 60, seconds % 60];
  if (h > 0) return m > 0 ? `${h} h ${m} min` : `${h} h`;
  return s > 0 ? `${m} min ${s} s` : `${m} min`;
}

/** Returns a duration with every digit, in milliseconds. */
export const exactly = (nanos) => `${(nanos / 1e6).toFixed(6).replace(/\.?0+$/, '')} ms`;

const two = (number) => String(number).padStart(2, '0');

/** Returns milliseconds since 1970 as this place's clock says: `12:04:31.120`, with the day where it is not today. */
export function clock(millis, now = Date.now()) {
  const at = new Date(millis);
  const time = `${two(at.getHours())}:${two(at.getMinutes())}:${two(at.getSeconds())}.${String(at.getMilliseconds()).padStart(3, '0')}`;
  const isToday = at.toDateString() === new Date(now).toDateString();
  return isToday ? time : `${at.getFullYear()}-${two(at.getMonth() + 1)}-${two(at.getDate())} ${time}`;
}

/** Returns nanoseconds since 1970, as text, in RFC 3339 with all digits, in UTC. */
export function utc(nanos) {
  const all = BigInt(nanos);
  const whole = new Date(Number(all / 1000000n)).toISOString().slice(0, 19);
  return `${whole}.${String(all % 1000000000n).padStart(9, '0')}Z`;
}

/** Returns nanoseconds since 1970, as text, in UTC and by this place's clock, as a hover says them. */
export function both(nanos) {
  const millis = Number(BigInt(nanos) / 1000000n);
  return `${utc(nanos)}\n${local(millis)}`;
}

/** Returns milliseconds since 1970 in RFC 3339 by this place's clock. */
export function local(millis) {
  const at = new Date(millis);
  const ahead = -at.getTimezoneOffset();
  const zone = `${ahead < 0 ? '-' : '+'}${two(Math.floor(Math.abs(ahead) / 60))}:${two(Math.abs(ahead) % 60)}`;
  return new Date(millis + ahead * 60000).toISOString().slice(0, 23) + zone;
}

/** Returns steps of a time axis: about `count` of them, at round numbers of nanoseconds. */
export function ticks(from, to, count) {
  const rough = (to - from) / count;
  const size = 10 ** Math.floor(Math.log10(Math.max(rough, 1)));
  const step = [1, 2, 5, 10].map((factor) => factor * size).find((step) => step >= rough) ?? size * 10;
  const all = [];
  for (let at = Math.ceil(from / step) * step; at <= to; at += step) all.push(at);
  return all;
}

/** Returns a count with groups of digits: `1,204`. */
export const count = (number) => number.toLocaleString('en-US');

/** Returns a count with its noun: `1 span`, `17 spans`. */
export const counted = (number, noun) => `${count(number)} ${noun}${number === 1 ? '' : 's'}`;
