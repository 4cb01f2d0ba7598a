// One span with everything that was sent, for the panel; and the search for words in it.
import { listed, textOf } from './otlp.js';

/** Returns a span's details; `linkedFrom` are the spans of this trace that link to it. */
export function details(spans, at, { ids }) {
  const { span, around } = spans[at];
  const linkedFrom = [];
  for (const other of spans) {
    for (const link of other.span.links ?? []) {
      if (link.spanId === span.spanId && link.traceId === span.traceId) {
        linkedFrom.push({ spanId: other.span.spanId, name: other.span.name ?? '', service: other.around.service });
      }
    }
  }
  return {
    traceId: span.traceId,
    spanId: span.spanId,
    parentSpanId: span.parentSpanId ?? '',
    traceState: span.traceState ?? '',
    flags: span.flags ?? 0,
    name: span.name ?? '',
    service: around.service,
    kind: span.kind ?? 0,
    status: span.status ?? {},
    startNano: span.startTimeUnixNano ?? '0',
    endNano: span.endTimeUnixNano ?? '0',
    attributes: listed(span.attributes),
    events: (span.events ?? []).map((event) => ({
      name: event.name ?? '',
      timeNano: event.timeUnixNano ?? '0',
      attributes: listed(event.attributes),
      dropped: event.droppedAttributesCount ?? 0,
    })),
    links: (span.links ?? []).map((link) => ({
      traceId: link.traceId ?? '',
      spanId: link.spanId ?? '',
      traceState: link.traceState ?? '',
      isHere: link.traceId === span.traceId && ids.has(link.spanId),
      attributes: listed(link.attributes),
    })),
    linkedFrom,
    resource: listed(around.resource.attributes),
    scope: { name: around.scope.name ?? '', version: around.scope.version ?? '', attributes: listed(around.scope.attributes) },
    schemaUrl: around.schemaUrl ?? '',
    dropped: {
      attributes: span.droppedAttributesCount ?? 0,
      events: span.droppedEventsCount ?? 0,
      links: span.droppedLinksCount ?? 0,
    },
    raw: JSON.stringify({ resource: around.resource, scope: around.scope, span }, null, 2),
  };
}

/** True if every word is in the span's name, service, ids, status, or an attribute of it or its events. */
export function holds({ span, around }, words) {
  if (words.length === 0) return false;
  return words.every((word) => {
    const has = (text) => text !== undefined && text.toLowerCase().includes(word);
    const inAttributes = (list) =>
      list?.some((it) => has(it.key) || has(textOf(it.value)) || `${it.key}=${textOf(it.value)}`.toLowerCase() === word);
    return (
      has(span.name) ||
      has(around.service) ||
      has(span.spanId) ||
      has(span.status?.message) ||
      inAttributes(span.attributes) ||
      span.events?.some((event) => has(event.name) || inAttributes(event.attributes))
    );
  });
}
