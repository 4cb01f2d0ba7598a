// New traces while the list is read.
import { cold, given, holds, run, same, watched } from './browser.mjs';
import { send } from './send.mjs';

await run(async (browser) => {
  const page = await watched(browser);
  await cold(page);
  const figure = (count) => page.waitForFunction((count) => document.querySelector('[data-figure="traces"]')?.innerText === count, String(count));
  await figure(given.before);
  await page.getByRole('button', { name: 'live' }).waitFor();
  await page.locator('.live.on').waitFor();
  const seen = () => page.evaluate(() => {
    const list = document.querySelector('.rows');
    const top = list.getBoundingClientRect().top + 24;
    return [...list.querySelectorAll('.space .row')].map((row) => [row.dataset.trace, Math.round(row.getBoundingClientRect().top - top)]).filter(([, at]) => at >= 0).sort(([, a], [, b]) => a - b).slice(0, 5);
  });
  await page.locator('.rows').hover();
  await page.mouse.wheel(0, 1200);
  await page.waitForFunction(() => document.querySelector('.rows').scrollTop >= 1200);
  await page.evaluate(() => new Promise((done) => requestAnimationFrame(() => requestAnimationFrame(done))));
  const before = await seen();
  for (const request of given.later) await send(request);
  const fresh = page.getByRole('button', { name: `${given.later.length} new traces: show` });
  await fresh.waitFor();
  same('what is read stays', await seen(), before);
  await figure(given.after);
  await fresh.click();
  await fresh.waitFor({ state: 'detached' });
  same('rows', Number(await page.locator('.rows').getAttribute('aria-rowcount')), given.after + 1);
  holds('at the top', (await page.evaluate(() => document.querySelector('.rows').scrollTop)) === 0);
});
