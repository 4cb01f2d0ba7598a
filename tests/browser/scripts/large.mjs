// A trace of 20,000 spans and a list of 10,000 traces: no task of the main thread over 100 ms, at most 500 rows in the document.
import { cold, exact, figure, given, holds, picture, run, same, watched } from './browser.mjs';
import { framesOf, tasksOf } from './tasks.mjs';

const LONGEST = 100;
const MOST_ROWS = 500;

const rowsIn = (page) => page.locator('[role="row"]').count();

async function scroll(page, selector) {
  const box = await page.locator(selector).boundingBox();
  await page.mouse.move(box.x + box.width / 2, box.y + box.height / 2);
  let most = 0;
  for (let step = 0; step < 40; step++) {
    await page.mouse.wheel(0, step % 8 === 7 ? 40000 : 700);
    await page.evaluate(() => new Promise((done) => requestAnimationFrame(done)));
    most = Math.max(most, await rowsIn(page));
  }
  return most;
}

async function judged(browser, page, name, work) {
  const { longest, count } = await tasksOf(browser, page, work);
  figure(`${name}: longest task, ms`, Math.round(longest[0].millis * 10) / 10);
  figure(`${name}: with waiting, ms`, Math.round(Math.max(...longest.map(({ wall }) => wall)) * 10) / 10);
  holds(`${name}: tasks`, count > 5);
  holds(`${name}: a task of ${longest[0].millis.toFixed(0)} ms`, longest[0].millis <= LONGEST, longest[0].parts.join('; '));
}

await run(async (browser) => {
  const page = await watched(browser, { quiet: ['Failed to load resource'] });
  await cold(page, '#/nothing');
  await page.getByText('No screen has this address').waitFor();

  await judged(browser, page, 'list opens', async () => {
    await cold(page, '#/traces');
    await page.waitForFunction((count) => document.querySelector('[data-figure="traces"]')?.innerText === count, given.tracesSaid);
  });
  let most = 0;
  await judged(browser, page, 'list scrolls', async () => {
    figure('list scrolls: frames a second', await framesOf(page, async () => (most = await scroll(page, '.rows'))));
  });
  holds('rows of the list in the document', most > 10 && most <= MOST_ROWS, String(most));
  await judged(browser, page, 'filter is typed', async () => {
    await page.keyboard.press('/');
    await page.keyboard.type('item/17', { delay: 30 });
    await page.waitForFunction((count) => document.querySelector('[data-figure="traces"]')?.innerText === count, given.typedSaid);
    for (let nth = 0; nth < 7; nth++) await page.keyboard.press('Backspace');
    await page.keyboard.type('service:svc-3', { delay: 30 });
    await page.keyboard.press('Enter');
    await page.waitForFunction((count) => document.querySelector('[data-figure="traces"]')?.innerText === count, given.serviceSaid);
  });
  await picture(page, 'list-large');

  await judged(browser, page, 'trace opens', async () => {
    await cold(page, `#/trace/${given.trace}`);
    await page.locator('.waterfall .space .span').first().waitFor();
  });
  same('spans', await exact(page, 'spans', 'count'), given.spans);
  same('errors', await exact(page, 'errors', 'count'), given.errors);
  await judged(browser, page, 'trace scrolls', async () => {
    figure('trace scrolls: frames a second', await framesOf(page, async () => (most = await scroll(page, '.waterfall'))));
  });
  holds('rows of the trace in the document', most > 10 && most <= MOST_ROWS, String(most));
  await judged(browser, page, 'inside a trace', async () => {
    await page.keyboard.press('/');
    await page.keyboard.type('value-1999', { delay: 30 });
    await page.locator(`[data-found="${given.found}"]`).waitFor();
    await page.keyboard.press('Enter');
    await page.locator('.details').waitFor();
    await page.keyboard.press('Escape');
    for (const key of ['e', 'e', 'j', 'j', 'h', 'h', '+', '+', '-', '0']) await page.keyboard.press(key);
  });
  await picture(page, 'trace-large');
});
