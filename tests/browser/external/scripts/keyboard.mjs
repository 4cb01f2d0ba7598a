// Every screen by keyboard alone: no pointer is used here.
import { cold, given, holds, run, same, watched } from './browser.mjs';

const chosen = (page) => page.locator('.row.chosen').getAttribute('data-trace');
const at = (page) => page.locator('.span.chosen').getAttribute('data-span');

await run(async (browser) => {
  const page = await watched(browser);
  const press = (...keys) => keys.reduce((before, key) => before.then(() => page.keyboard.press(key)), Promise.resolve());
  await cold(page);
  await page.locator('.rows .space .row').first().waitFor();

  await press('?');
  await page.getByRole('region', { name: 'Keys' }).waitFor();
  await press('?');
  holds('the keys go', (await page.getByRole('region', { name: 'Keys' }).count()) === 0);
  await press('j', 'j');
  same('second row', await chosen(page), given.second);
  await press('k');
  same('first row', await chosen(page), given.trace);

  await press('/');
  await page.keyboard.type('status:err');
  await page.getByRole('option', { name: 'status:error' }).waitFor();
  await press('ArrowDown', 'Enter');
  await page.waitForFunction(() => document.querySelector('[data-figure="traces"]')?.innerText === '1');
  holds('the filter has the focus', await page.evaluate(() => document.activeElement.getAttribute('role') === 'combobox'));
  await press('Escape', 'Escape');
  holds('Escape leaves the filter', await page.evaluate(() => document.activeElement.getAttribute('role') !== 'combobox'));
  await press('Home', 'Enter');
  await page.locator('.waterfall .space .span').first().waitFor();
  holds('the trace is open', page.url().includes(`#/trace/${given.trace}`), page.url());

  await press('e', 'e', 'e', 'e', 'e');
  same('last error', await at(page), given.pay);
  await press('E', 'E');
  same('error before', await at(page), given.front);
  await press('h');
  same('folded', await page.locator('.span.chosen').getAttribute('aria-expanded'), 'false');
  await press('l');
  same('unfolded', await page.locator('.span.chosen').getAttribute('aria-expanded'), 'true');
  await press('c');
  const child = await at(page);
  holds('first child', child !== given.front, child);
  await press('p');
  same('parent', await at(page), given.front);
  await press('Enter');
  holds('the hop is open', (await page.locator('.waterfall .space .span').count()) === 8);

  const label = () => page.locator('.minimap').getAttribute('aria-label');
  const all = await label();
  await press('+', '+');
  holds('zoomed', (await label()) !== all);
  await press('-', '0');
  same('the whole trace', await label(), all);

  await press('/');
  await page.keyboard.type('select');
  await page.locator('[data-found="1"]').waitFor();
  await press('Enter', 'Escape');
  await page.locator('.details').getByText('SELECT cart_items').first().waitFor();

  // By Tab into the parts of the span, and along them by arrows.
  for (let nth = 0; nth < 60 && !(await page.evaluate(() => document.activeElement.getAttribute('role') === 'tab')); nth++) await press('Tab');
  await press('ArrowRight', 'ArrowRight');
  same('tab', await page.evaluate(() => document.activeElement.id), 'tab-links');
  await page.locator('.details').getByText('POST /pay').waitFor();
  const focused = await page.evaluate(() => getComputedStyle(document.activeElement).outlineStyle);
  holds('the focus is seen', focused !== 'none', focused);

  await press('y');
  await page.getByText('link copied').waitFor();
  same('clipboard', await page.evaluate(() => navigator.clipboard.readText()), page.url());
  await press('Escape');
  holds('Escape closes the span', (await page.locator('.details').count()) === 0);
  await press('Backspace');
  await page.locator('.rows .space .row').first().waitFor();
  holds('back on the list as it was', page.url().includes('q=status'), page.url());
});
