// OTLP in JSON, read into plain spans, and its values as texts.

/** Returns the spans of a trace, each with its resource and scope. */
export function spansOf(data) {
  const all = [];
  for (const group of data.resourceSpans ?? []) {
    const resource = group.resource ?? {};
    const service = textOf(resource.attributes?.find((it) => it.key === 'service.name')?.value) || 'unknown_service';
    for (const { scope, spans, schemaUrl } of group.scopeSpans ?? []) {
      const around = { service, resource, scope: scope ?? {}, schemaUrl, resourceSchemaUrl: group.schemaUrl };
      for (const span of spans ?? []) all.push({ span, around });
    }
  }
  return all;
}

/** Returns the first value of a key. */
export const find = (attributes, key) => attributes?.find((it) => it.key === key)?.value;

/** Returns a value as text; what has parts as JSON. */
export function textOf(value) {
  if (!value) return '';
  if ('stringValue' in value) return value.stringValue;
  if ('intValue' in value) return String(value.intValue);
  if ('doubleValue' in value) return String(value.doubleValue);
  if ('boolValue' in value) return String(value.boolValue);
  if ('bytesValue' in value) return `${value.bytesValue} (base64)`;
  return JSON.stringify(plain(value));
}

/** Returns a value as JSON has it. */
function plain(value) {
  if ('arrayValue' in value) return (value.arrayValue.values ?? []).map(plain);
  if ('kvlistValue' in value) {
    return Object.fromEntries((value.kvlistValue.values ?? []).map((it) => [it.key, plain(it.value ?? {})]));
  }
  return textOf(value);
}

/** Returns attributes as `{ key, text, type }`, in the order sent. */
export function listed(attributes) {
  return (attributes ?? []).map(({ key = '', value }) => ({
    key,
    text: textOf(value),
    type: Object.keys(value ?? {})[0]?.replace('Value', '') ?? 'none',
  }));
}
