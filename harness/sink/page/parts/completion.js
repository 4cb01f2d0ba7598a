// What the filter field offers while one types: keys, then their values, those that the sink has first.
import { get } from '../core/api.js';
import { signal } from '../core/view.js';
import { count } from '../core/time.js';
import { write } from './query.js';

/** The services of the sink, asked for once and again when the field gets the focus. */
export const services = signal([]);
const operations = new Map();

const KEYS = [
  { text: 'service:', hint: 'the service of a span' },
  { text: 'name:', hint: 'the name of a span' },
  { text: 'status:', hint: 'error, ok or unset' },
  { text: 'kind:', hint: 'server, client, producer, consumer, internal' },
  { text: 'duration:', hint: '>200ms, <1s, 100ms..1s' },
];
const ATTRIBUTES = [
  'http.route',
  'http.request.method',
  'http.response.status_code',
  'url.path',
  'server.address',
  'error.type',
  'rpc.service',
  'rpc.method',
  'rpc.grpc.status_code',
  'db.system.name',
  'db.query.text',
  'messaging.destination.name',
  'peer.service',
  'k8s.namespace.name',
  'k8s.pod.name',
  'deployment.environment.name',
  'sidespan.decision',
  'sidespan.kept',
  'sidespan.response_flags',
];
const VALUES = {
  status: ['error', 'ok', 'unset'],
  kind: ['server', 'client', 'producer', 'consumer', 'internal', 'unspecified'],
  duration: ['>100ms', '>500ms', '>1s', '<10ms', '100ms..1s'],
  'sidespan.kept': ['error', 'slow', 'callee'],
  'sidespan.decision': ['received', 'debug', 'rule', 'namespace', 'default', 'remote', 'rate'],
  'http.request.method': ['GET', 'POST', 'PUT', 'PATCH', 'DELETE', 'HEAD', 'OPTIONS'],
};

/** Asks for the services again. */
export async function refresh() {
  try {
    services.value = (await get('services')).services;
  } catch {
    // Without them the field completes less.
  }
}

async function operationsOf(service) {
  if (!operations.has(service)) {
    const asked = get(`operations?${new URLSearchParams({ service })}`).then(
      (answer) => answer.operations,
      () => [],
    );
    operations.set(service, asked);
    // Forgotten soon, because names come and go.
    setTimeout(() => operations.delete(service), 30000);
  }
  return operations.get(service);
}

/** Returns what may follow a draft: `[{ text, hint, isWhole }]`; `terms` are those that are there already. */
export async function completions(draft, terms) {
  const [, key, sign, begun] = /^([\w.\-]+)([:=])(.*)$/s.exec(draft) ?? [];
  if (!key) {
    const used = new Set(terms.map((it) => `${it.key}:`));
    const keys = KEYS.filter((it) => !used.has(it.text));
    const all = [...keys, ...ATTRIBUTES.map((name) => ({ text: `${name}=`, hint: 'attribute' }))];
    return all.filter((it) => it.text.startsWith(draft.toLowerCase())).slice(0, draft ? 12 : 5);
  }
  const values = await valuesOf(key, terms);
  const wanted = begun.replace(/^"/, '').toLowerCase();
  const holds = (it) => it.value.toLowerCase().includes(wanted);
  return values
    .filter(holds)
    .slice(0, 12)
    .map(({ value, hint }) => ({ text: write({ key, value }), hint: hint ?? '', isWhole: true, sign }));
}

async function valuesOf(key, terms) {
  const spans = (it) => `${count(it.spans)} spans`;
  if (key === 'service') return services.value.map((it) => ({ value: it.name }));
  if (key === 'name') {
    const service = terms.find((it) => it.key === 'service')?.value;
    const asked = service ? [service] : services.value.slice(0, 8).map((it) => it.name);
    const found = (await Promise.all(asked.map(operationsOf))).flat();
    const seen = new Set();
    return found
      .filter((it) => !seen.has(it.name) && seen.add(it.name))
      .map((it) => ({ value: it.name, hint: `${it.kind.toLowerCase()}, ${spans(it)}` }));
  }
  return (VALUES[key] ?? []).map((value) => ({ value }));
}
