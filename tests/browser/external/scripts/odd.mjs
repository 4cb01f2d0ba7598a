// Traces that are odd.
import { cold, given, holds, picture, run, same, watched } from './browser.mjs';

await run(async (browser) => {
  const page = await watched(browser);
  const rows = page.locator('.waterfall .space .span');
  const see = async (id) => {
    await cold(page, `#/trace/${id}`);
    await rows.first().waitFor();
  };
  await see(given.broken);
  await page.getByText(`parent ${given.missing} was never received`).waitFor();
  same('rows, with one for the missing parent', await rows.count(), 4);
  same('level of the orphan', await page.locator(`[data-span="${given.orphan}"]`).getAttribute('aria-level'), '2');
  holds('broken', (await page.locator('[data-figure="state"]').innerText()).startsWith('broken: '));
  await picture(page, 'trace-broken');

  await see(given.skewed);
  await page.getByText(`clock −${given.early}`).waitFor();
  same('skewed spans', await page.locator('[data-figure="skew"]').getAttribute('data-count'), '1');

  await see(given.circle);
  same('rows of a circle', await rows.count(), 2);
  await page.getByText('own ancestor').first().waitFor();

  await see(given.parallel);
  const onPath = await page.locator('.span:has(.path)').evaluateAll((all) => all.map((row) => row.dataset.span));
  same('critical path', onPath, given.path);

  // A link opened cold, and another trace's from a span.
  await cold(page, `#/trace/${given.parallel}/span/${given.long}`);
  await page.locator('.details').getByText('long').first().waitFor();
  await see(given.linking);
  await page.keyboard.press('j');
  await page.getByRole('tab', { name: /Links/ }).click();
  await page.locator('.details').getByRole('link', { name: new RegExp(given.parallel) }).click();
  await page.locator('.details').getByText('long').first().waitFor();
  await page.goBack();
  await page.locator('.details').getByText('again').first().waitFor();

  // That a trace is not there is an error of the console, too, which no page can keep from it.
  const other = await watched(browser, { quiet: ['404 (Not Found)'] });
  await cold(other, '#/trace/ffffffffffffffffffffffffffffffff');
  await other.getByText('it never came, or it was evicted').waitFor();
});
