// Every part of list and trace, clicked once.
import fs from 'node:fs';
import { cold, exact, given, holds, run, same, watched } from './browser.mjs';

const traces = (page, count) => page.waitForFunction((count) => document.querySelector('[data-figure="traces"]')?.innerText === count, String(count));
const button = (page, name) => page.getByRole('button', { name });

async function downloaded(page, click) {
  const [file] = await Promise.all([page.waitForEvent('download'), click()]);
  return [file.suggestedFilename(), fs.readFileSync(await file.path(), 'utf8')];
}

async function drag(page, selector, from, to) {
  const box = await page.locator(selector).boundingBox();
  await page.mouse.move(box.x + box.width * from, box.y + box.height / 2);
  await page.mouse.down();
  await page.mouse.move(box.x + box.width * ((from + to) / 2), box.y + box.height / 2);
  await page.mouse.move(box.x + box.width * to, box.y + box.height / 2);
  await page.mouse.up();
}

async function list(page) {
  await cold(page);
  await traces(page, given.traces);
  for (const expected of ['light', 'dark', undefined]) {
    await button(page, /^Theme/).click();
    same('theme', await page.evaluate(() => document.documentElement.dataset.theme), expected);
  }
  await button(page, 'Keys').click();
  await button(page, 'Close Keys').click();

  await button(page, 'Form').click();
  const form = page.getByRole('region', { name: 'Filter' });
  await form.getByLabel('Service').selectOption('pay');
  await traces(page, 1);
  await form.getByLabel('Service').selectOption('');
  await traces(page, given.traces);
  const fill = async (name, text, count) => {
    await form.getByLabel(name, { exact: true }).fill(text);
    await form.getByLabel(name, { exact: true }).press('Tab');
    await traces(page, count);
  };
  await fill('At least', '400ms', 1);
  await fill('At least', '', given.traces);
  await fill('Name of a span', 'POST /pay', 1);
  await fill('Name of a span', '', given.traces);
  await fill('Attribute', 'http.route=/api/cart', 1);
  await button(page, /^Remove http\.route/).click();
  await traces(page, given.traces);
  await form.getByLabel('Status').selectOption('error');
  await traces(page, 1);
  await form.getByLabel('Status').selectOption('');
  await form.getByLabel('Kind').selectOption('client');
  await traces(page, 1);
  await form.getByLabel('Kind').selectOption('');
  await traces(page, given.traces);
  await button(page, 'Close Filter').click();

  await page.getByLabel('Time', { exact: true }).selectOption('15m');
  await page.getByText('No trace has a span').waitFor();
  await page.getByLabel('Time', { exact: true }).selectOption('');
  await traces(page, given.traces);
  await page.getByTitle('Only these', { exact: true }).click();
  await traces(page, 1);
  await page.goBack();
  await page.getByTitle('Only traces of ledger').click();
  await traces(page, 1);
  await page.goBack();
  await traces(page, given.traces);
  await drag(page, '.dots .u-over', 0.5, 0.02);
  await page.waitForFunction(() => location.hash.includes('from='));
  const some = Number(await page.locator('[data-figure="traces"]').innerText());
  holds('a drag narrows', some > 0 && some < given.traces, String(some));
  await page.goBack();
  await traces(page, given.traces);

  const [name, lines] = await downloaded(page, () => button(page, 'Export').click());
  same('export', [name, lines.trim().split('\n').length], ['traces.jsonl', given.traces]);
  await button(page, 'live').click();
  await button(page, 'paused').click();
  await button(page, 'live').waitFor();
}

async function trace(page) {
  await page.locator(`[data-trace="${given.trace}"]`).click();
  await page.locator('.waterfall .space .span').first().waitFor();
  const rows = () => page.locator('.waterfall .space .span').count();
  const label = () => page.locator('.minimap').getAttribute('aria-label');
  const all = await label();
  await drag(page, '.minimap', 0.2, 0.6);
  holds('the minimap zooms', (await label()) !== all);
  await page.locator('.minimap').click();
  same('a click shows all', await label(), all);
  await drag(page, '.axis', 0.1, 0.4);
  holds('the axis zooms', (await label()) !== all);
  await page.mouse.move(900, 300);
  await page.keyboard.down('Control');
  for (let nth = 0; nth < 12; nth++) await page.mouse.wheel(0, 200);
  await page.keyboard.up('Control');
  same('the wheel zooms out', await label(), all);

  const before = await rows();
  await button(page, 'Fold').first().click();
  same('folded', await rows(), 1);
  await button(page, 'Unfold').first().click();
  same('unfolded', await rows(), before);
  await button(page, 'Show both spans of the hop from gateway').click();
  same('one hop open', await rows(), before + 1);
  await button(page, 'Join hops').click();
  same('all open', await rows(), given.spans);
  await button(page, 'Join hops').click();
  same('all joined', await rows(), before);

  await button(page, 'Copy link').click();
  same('link', await page.evaluate(() => navigator.clipboard.readText()), page.url());
  await button(page, 'Copy JSON').click();
  await page.getByText('JSON copied').waitFor();
  const copied = JSON.parse(await page.evaluate(() => navigator.clipboard.readText()));
  const [file, saved] = await downloaded(page, () => button(page, 'Save JSON').click());
  same('file', file, `trace-${given.trace}.json`);
  same('copied and saved', copied, JSON.parse(saved));
  const count = copied.resourceSpans.flatMap((it) => it.scopeSpans.flatMap((it) => it.spans)).length;
  same('spans in it', count, given.spans);
  await page.getByTitle('Copy the id').first().click();
  same('id', await page.evaluate(() => navigator.clipboard.readText()), given.trace);
  await button(page, 'Next error').click();
  await button(page, 'Previous error').click();
}

async function span(page) {
  await page.locator(`[data-span="${given.pay}"]`).click();
  const details = page.locator('.details');
  await details.getByText('card refused').first().waitFor();
  await details.getByRole('button', { name: 'Copy error.type' }).click();
  same('attribute', await page.evaluate(() => navigator.clipboard.readText()), '503');
  await details.getByRole('tab', { name: /Events/ }).click();
  await details.getByText('exception.message').waitFor();
  await details.getByRole('tab', { name: /Resource/ }).click();
  await details.getByText('k8s.namespace.name').waitFor();
  await details.getByRole('tab', { name: /Raw/ }).click();
  const raw = JSON.parse(await details.locator('pre').innerText());
  same('raw', raw.span.spanId, given.pay);
  await details.getByRole('tab', { name: /Links/ }).click();
  await details.getByRole('link', { name: /of this trace/ }).click();
  await page.waitForFunction((id) => location.hash.endsWith(id), given.select);
  await details.getByRole('tab', { name: /Attributes/ }).click();
  await details.getByText('SELECT * FROM').waitFor();
  await details.getByRole('tab', { name: /Links/ }).click();
  await details.getByText('from').first().waitFor();
  await page.goBack();
  await page.locator(`[data-span="${given.cart}"]`).click();
  await details.getByRole('button', { name: /the CLIENT of front/ }).click();
  await details.getByRole('button', { name: /the SERVER of cart/ }).click();
  await details.getByRole('tab', { name: /Attributes/ }).click();
  await details.getByLabel('Find others with this http.route').click();
  await traces(page, 1);
  holds('others like this', decodeURIComponent(page.url()).includes('http.route=/api/cart'), page.url());
  await page.goBack();
  await details.waitFor();
  await button(page, 'Close the span').click();
  holds('closed', (await details.count()) === 0);
  same('the same figures again', await exact(page, 'spans', 'count'), given.spans);
  await page.getByRole('link', { name: 'Back to the list' }).click();
  await traces(page, 1);
  await page.getByRole('link', { name: 'Sidespan' }).click();
  await traces(page, given.traces);
}

await run(async (browser) => {
  const page = await watched(browser);
  await list(page);
  await trace(page);
  await span(page);
  await button(page, /^Clear/).click();
  await button(page, 'Keep').click();
  await button(page, /^Clear/).click();
  await button(page, 'Remove').click();
  await page.getByText('No spans yet').waitFor();
});
