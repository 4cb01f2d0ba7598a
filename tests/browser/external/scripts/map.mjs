// The map of services.
import { accessible, cold, given, holds, picture, run, same, watched } from './browser.mjs';

const at = (minutes) => encodeURIComponent(new Date(given.noon + minutes * 60000).toISOString());
const ASKED = `#/map?from=${at(0)}&to=${at(10)}`;
const sorted = (all) => all.sort((a, b) => (JSON.stringify(a) < JSON.stringify(b) ? -1 : 1));

/** The figures of the rows of a table, exact. */
const figures = (page, selector, keys) =>
  page.locator(selector).evaluateAll(
    (rows, keys) =>
      rows.map((row) => {
        const of = (name, kind) => Number(row.querySelector(`[data-figure="${name}"]`).dataset[kind]);
        const own = Object.fromEntries(keys.map((key) => [key, row.dataset[key]]));
        return { ...own, requests: of('requests', 'count'), errors: of('errors', 'count'), p50: of('p50', 'nanos'), p99: of('p99', 'nanos') };
      }),
    keys,
  );

const focused = (page) => page.evaluate(() => document.activeElement.dataset.node ?? document.activeElement.dataset.to ?? '');

await run(async (browser) => {
  const page = await watched(browser);
  await cold(page, ASKED);
  await page.locator('.node').first().waitFor();
  same('seconds', await page.locator('[data-figure="covered"]').getAttribute('data-seconds'), '600');
  same('traces', await page.locator('[data-figure="covered"]').getAttribute('data-count'), String(given.traces));

  // The drawing: its nodes and edges, their rates, errors and p99.
  same('nodes drawn', sorted(await page.locator('.node').evaluateAll((all) => all.map((it) => it.dataset.node))), given.nodes.map((it) => it.service));
  same('edges drawn', sorted(await page.locator('.label').evaluateAll((all) => all.map((it) => [it.dataset.from, it.dataset.to]))), sorted(given.edges.map((it) => [it.from, it.to])));
  same('lines', await page.locator('path.edge').count(), given.edges.length);
  for (const { from, to, is } of given.edges) {
    const label = page.locator(`.label[data-from="${from}"][data-to="${to}"]`);
    const text = await label.innerText();
    holds(`p99 of ${from} to ${to}`, text.includes(is.p99Said), `${text} has no ${is.p99Said}`);
    if (is.rate) holds(`rate of ${from} to ${to}`, text.includes(is.rate), `${text} has no ${is.rate}`);
    const share = is.errors === 0 ? null : (100 * is.errors) / is.requests;
    same(`error share of ${from} to ${to}`, /! ([\d.]+) %/.exec(text)?.[1] ?? null, share === null ? null : share >= 9.95 || Number.isInteger(share) ? String(Math.round(share)) : share.toFixed(1));
    same(`errors of ${from} to ${to} in red`, await label.evaluate((it) => it.classList.contains('failed')), is.errors > 0);
  }
  const places = await page.locator('.node').evaluateAll((all) => Object.fromEntries(all.map((it) => [it.dataset.node, it.getBoundingClientRect().left])));
  for (const { from, to } of given.edges.filter((it) => it.from !== it.to)) holds(`${from} is left of ${to}`, places[from] < places[to]);
  same('without spans', sorted(await page.locator('.node.virtual').evaluateAll((all) => all.map((it) => it.dataset.node))), ['cards.example', 'postgresql shop']);
  await accessible(page, 'map, light');
  await picture(page, 'map-light');

  // Zoom and drag change the view, and a drag is no click.
  const scale = () => page.locator('.drawing').evaluate((it) => new DOMMatrix(getComputedStyle(it).transform).a);
  const box = () => page.locator('.node[data-node="pay"]').boundingBox();
  const first = await scale();
  await page.keyboard.press('+');
  holds('+ zooms in', (await scale()) > first);
  await page.keyboard.press('0');
  same('0 shows all', await scale(), first);
  const before = await box();
  await page.mouse.move(before.x + 20, before.y + 10);
  await page.mouse.down();
  await page.mouse.move(before.x + 80, before.y + 60, { steps: 4 });
  await page.mouse.up();
  const after = await box();
  same('a drag moves it', [Math.round(after.x - before.x), Math.round(after.y - before.y)], [60, 50]);
  holds('a drag is no click', page.url().includes('#/map'), page.url());
  await page.mouse.move(after.x + 20, after.y + 10);
  await page.keyboard.down('Control');
  await page.mouse.wheel(0, -300);
  await page.keyboard.up('Control');
  await page.waitForFunction((before) => new DOMMatrix(getComputedStyle(document.querySelector('.drawing')).transform).a > before, first);
  await page.getByRole('button', { name: 'All of it' }).click();

  // What a node says, and leads to; back again.
  await page.locator('.node[data-node="pay"]').hover();
  const pay = given.nodes.find((it) => it.service === 'pay').is;
  const told = await page.locator('.told').innerText();
  holds('what is told of pay', told.includes(`${pay.requests} requests`) && told.includes(`${pay.errors} failed`), told);
  await page.locator('.node[data-node="pay"]').click();
  await page.waitForURL(/#\/traces\?q=service%3Apay&from=/);
  await page.locator('[data-figure="traces"]').waitFor();
  await page.goBack();
  await page.locator('.label[data-from="cart"][data-to="postgresql shop"]').click();
  await page.waitForURL(/#\/traces\?q=service%3Acart\+kind%3Aclient&from=/);
  await page.goBack();
  await page.locator('.node').first().waitFor();

  // By keys alone.
  await page.keyboard.press('l');
  same('the first is the entry', await focused(page), 'gateway');
  await page.keyboard.press('l');
  same('whom it calls', await focused(page), 'front');
  await page.keyboard.press('ArrowRight');
  holds('whom that calls', given.edges.some((it) => it.from === 'front' && it.to !== 'front'), await focused(page));
  await page.keyboard.press('h');
  same('who calls it', await focused(page), 'front');
  await page.keyboard.press('Enter');
  await page.waitForURL(/#\/traces\?q=service%3Afront/);
  await page.goBack();
  await page.locator('.node').first().waitFor();

  // The tables: every number, exactly.
  await page.keyboard.press('t');
  await page.locator('.tables').waitFor();
  const expected = (it) => ({ requests: it.requests, errors: it.errors, p50: it.p50, p99: it.p99 });
  same('services', sorted(await figures(page, 'tr[data-node]', ['node'])), sorted(given.nodes.map((it) => ({ node: it.service, ...expected(it.is) }))));
  same('calls', sorted(await figures(page, 'tr[data-from]', ['from', 'to'])), sorted(given.edges.map((it) => ({ from: it.from, to: it.to, ...expected(it.is) }))));
  const tries = await page.locator('[data-figure="tries"]').evaluateAll((all) => all.map((it) => [it.closest('tr').dataset.to, Number(it.dataset.count)]));
  same('tries', tries, given.edges.filter((it) => it.is.tries > it.is.requests).map((it) => [it.to, it.is.tries]));
  await accessible(page, 'map as tables, light');
  await page.keyboard.press('t');

  // The filter narrows it.
  await cold(page, `${ASKED}&q=service%3Apay+status%3Aerror`);
  await page.locator('.node').first().waitFor();
  const fewer = Number(await page.locator('[data-figure="covered"]').getAttribute('data-count'));
  same('traces that failed in pay', fewer, given.failedInPay);

  // It grows while it is looked at.
  await cold(page, ASKED);
  await page.locator('.node').first().waitFor();
  const answer = await fetch(`${given.origin}/v1/traces`, { method: 'POST', headers: { 'content-type': 'application/json' }, body: JSON.stringify(given.later) });
  same('the later trace is taken', answer.status, 200);
  await page.waitForFunction((count) => document.querySelector('[data-figure="covered"]')?.dataset.count === count, String(given.traces + 1));

  // Names are texts, whatever is in them.
  const odd = ['<img src=x onerror="globalThis.broken=1">', '\u202Eمتجر', '🛒', `${'long '.repeat(2000)}end`, '"\'&lt;'];
  const later = given.noon + 3_600_000;
  const span = (id, parent, kind, name, from) => ({
    traceId: 'f'.repeat(32), spanId: String(id).padStart(16, '0'), parentSpanId: parent ? String(parent).padStart(16, '0') : '', kind, name,
    startTimeUnixNano: `${later + from}000000`, endTimeUnixNano: `${later + from + 5}000000`,
  });
  const resourceSpans = odd.map((service, nth) => ({
    resource: { attributes: [{ key: 'service.name', value: { stringValue: service } }] },
    scopeSpans: [{ spans: [span(2 * nth + 1, 2 * nth, 2, `<b>${service}`, nth), span(2 * nth + 2, 2 * nth + 1, 3, service, nth)] }],
  }));
  await fetch(`${given.origin}/v1/traces`, { method: 'POST', headers: { 'content-type': 'application/json' }, body: JSON.stringify({ resourceSpans }) });
  const hour = `from=${encodeURIComponent(new Date(later).toISOString())}`;
  await cold(page, `#/map?${hour}&to=${encodeURIComponent(new Date(later + 60000).toISOString())}`);
  await page.locator('.node').first().waitFor();
  const named = async (selector) => sorted(await page.locator(selector).evaluateAll((all) => all.map((it) => it.textContent)));
  same('odd names, drawn', await named('.node .service bdi'), sorted([...odd, 'unknown']));
  await page.keyboard.press('t');
  await page.locator('.tables').waitFor();
  same('odd names, in the table', await named('tr[data-node] .service bdi'), sorted([...odd, 'unknown']));
  await page.keyboard.press('t');
  await cold(page, `#/compare/${'f'.repeat(32)}/${'f'.repeat(32)}`);
  await page.locator('.both .space .place').first().waitFor();
  same('odd names, compared', await page.locator('.both .name').count(), 2 * odd.length);
  same('no markup', await page.evaluate(() => [globalThis.broken ?? 0, document.querySelectorAll('main img, main b b').length]), [0, 0]);
  same('odd names make nothing wider', await page.evaluate(() => document.documentElement.scrollWidth), 1280);

  // Dark, and narrow.
  const dark = await watched(browser, { colorScheme: 'dark' });
  await cold(dark, ASKED);
  await dark.locator('.node').first().waitFor();
  await accessible(dark, 'map, dark');
  await picture(dark, 'map-dark');
  const narrow = await watched(browser, { viewport: { width: 360, height: 740 } });
  await cold(narrow, ASKED);
  await narrow.locator('.tables').waitFor();
  same('nothing is wider than the page', await narrow.evaluate(() => document.documentElement.scrollWidth), 360);
  await accessible(narrow, 'map, narrow');
  await picture(narrow, 'map-narrow');
  await narrow.getByRole('button', { name: 'Table' }).click();
  await narrow.locator('.node').first().waitFor();
  await picture(narrow, 'map-narrow-graph');
});
