// The difference of a place in two traces, and what is worth a look.

/** The least difference that is named, in nanoseconds and as a share of the longer side: less is noise. */
const LEAST = 1000;
const SHARE = 0.05;

/** Returns `a − b` of a fact, where a side that is missing counts as none. */
export const difference = (row, fact) => (row.a?.[fact] ?? 0) - (row.b?.[fact] ?? 0);

/** Returns `a`, `b` where only that side has the place, else `more`, `less` or `same` by the duration. */
export function state(row) {
  if (!row.b) return 'a';
  if (!row.a) return 'b';
  const by = difference(row, 'duration');
  if (Math.abs(by) < Math.max(LEAST, SHARE * Math.max(row.a.duration, row.b.duration))) return 'same';
  return by > 0 ? 'more' : 'less';
}

/** True if a place differs by itself, and not only because something below it does. */
export function isOwn(row) {
  if (!row.a || !row.b) return true;
  if (row.a.fails !== row.b.fails) return true;
  return Math.abs(difference(row, 'self')) >= Math.max(LEAST, SHARE * Math.max(row.a.duration, row.b.duration));
}

/** Returns the rows that most of the difference is in, by what they do themselves, the largest first. */
export function causes(rows, most = 3) {
  const total = rows.reduce((sum, row) => sum + (row.depth === 0 ? difference(row, 'duration') : 0), 0);
  const sign = Math.sign(total) || 1;
  return rows
    .map((row, at) => ({ at, by: difference(row, 'self') }))
    .filter(({ by }) => by * sign >= Math.max(LEAST, SHARE * Math.abs(total)))
    .sort((one, other) => (other.by - one.by) * sign)
    .slice(0, most);
}
