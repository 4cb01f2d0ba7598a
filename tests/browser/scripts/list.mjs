// The list of traces.
import { accessible, cold, exact, given, holds, picture, run, same, watched } from './browser.mjs';

const rows = (page) => page.locator('.rows .space .row');
const text = (page, name) => page.locator(`[data-figure="${name}"]`).first().innerText();

await run(async (browser) => {
  const page = await watched(browser);
  await cold(page);
  await rows(page).first().waitFor();
  await page.getByText('! error in pay').first().waitFor();
  same('traces', await text(page, 'traces'), String(given.traces));
  same('failed', await text(page, 'failed'), String(given.failed));
  for (const name of ['p50', 'p99']) {
    same(name, await exact(page, name), given[name]);
    same(`${name} said`, await text(page, name), given[`${name}Said`]);
  }
  same('newest', await rows(page).first().getAttribute('data-trace'), given.newest);
  const services = await page.locator('.figures .services button').allInnerTexts();
  same('services', Object.fromEntries(services.map((it) => it.trim().split(/\s+/)).map(([name, number]) => [name, Number(number)]).sort()), given.services);
  await accessible(page, 'list, light');
  await picture(page, 'list-light');

  // The oldest is the last, and says that it is broken.
  await page.keyboard.press('End');
  await page.locator(`[data-trace="${given.oldest}"]`).waitFor();
  await page.getByText('broken at cart').waitFor();
  await page.keyboard.press('Home');

  // A filter: by the field with completion, into the address, and out of it again.
  await page.keyboard.press('/');
  await page.keyboard.type('http.ro');
  await page.getByRole('option', { name: /http\.route=/ }).waitFor();
  await page.keyboard.press('Tab');
  await page.keyboard.type('/even');
  await page.keyboard.press('Enter');
  await page.waitForFunction((count) => document.querySelector('[data-figure="traces"]')?.innerText === count, String(given.even));
  holds('the filter is in the address', page.url().includes('q=http.route'), page.url());
  await page.goBack();
  await page.waitForFunction((count) => document.querySelector('[data-figure="traces"]')?.innerText === count, String(given.traces));
  await page.goForward();
  await page.getByRole('button', { name: /^Remove http\.route/ }).click();
  await page.waitForFunction((count) => document.querySelector('[data-figure="traces"]')?.innerText === count, String(given.traces));

  // A word narrows what is loaded while it is typed.
  await page.keyboard.type('/item/60');
  await page.waitForFunction(() => document.querySelector('[data-figure="traces"]')?.innerText === '1');
  await page.keyboard.press('Escape');
  await page.keyboard.press('Escape');
});
