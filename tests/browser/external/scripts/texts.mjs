// Names and values that are markup, right-to-left, emoji, long.
import { cold, given, holds, run, same, watched } from './browser.mjs';

await run(async (browser) => {
  const page = await watched(browser);
  page.on('dialog', (dialog) => {
    holds('no dialog', false, dialog.message());
    dialog.dismiss();
  });
  await cold(page);
  await page.locator('.rows .space .row').nth(given.names.length - 1).waitFor();
  const clean = async (where) => {
    same(`elements of data, ${where}`, await page.locator('#page img, #page script, #page iframe, #page [onerror]').count(), 0);
    const wide = await page.evaluate(() => document.documentElement.scrollWidth - document.documentElement.clientWidth);
    holds(`nothing is wider than the page, ${where}`, wide <= 0, String(wide));
  };
  await clean('list');
  for (const [nth, name] of given.names.entries()) {
    await cold(page, `#/trace/${given.traces[nth]}`);
    await page.locator('.waterfall .space .span').first().waitFor();
    await page.keyboard.press('j');
    await page.locator('.details').waitFor();
    const shown = await page.locator('.waterfall .name').first().evaluate((it) => it.textContent);
    same('name', shown, name.slice(0, 300));
    const key = await page.locator('.details th bdi').evaluateAll((all) => all.map((it) => it.textContent));
    holds('key as text', key.includes(name), JSON.stringify(key).slice(0, 200));
    const web = page.locator('.details .value a');
    same('links', await web.evaluateAll((all) => all.map((it) => [it.getAttribute('href'), it.rel])), [['https://example.org/a?b=c', 'noopener noreferrer']]);
    if (name.length > 1000) {
      const folded = await page.locator('.details .value bdi').first().evaluate((it) => it.textContent.length);
      await page.locator('.details').getByRole('button', { name: `all ${name.length}` }).click();
      const whole = await page.locator('.details .value bdi').evaluateAll((all) => Math.max(...all.map((it) => it.textContent.length)));
      holds('a long value is folded, and opens', folded < 300 && whole === name.length, `${folded} ${whole}`);
    }
    await clean('trace');
    holds('the title is the name', (await page.title()) !== 'owned');
  }
});
