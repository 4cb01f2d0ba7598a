// Both themes and a phone's width.
import { accessible, cold, given, holds, picture, run, watched } from './browser.mjs';

await run(async (browser) => {
  for (const theme of ['light', 'dark']) {
    for (const [size, viewport] of Object.entries({ wide: { width: 1280, height: 800 }, '360': { width: 360, height: 740 } })) {
      const page = await watched(browser, { colorScheme: theme, viewport });
      const name = size === 'wide' ? theme : `${theme}-${size}`;
      const fits = async (what) => {
        const wide = await page.evaluate(() => document.documentElement.scrollWidth - document.documentElement.clientWidth);
        holds(`${what}, ${name}: as wide as the page`, wide <= 0, String(wide));
      };
      await cold(page);
      await page.getByText('! error in pay').first().waitFor();
      await page.getByText('broken at cart').waitFor();
      await page.waitForFunction(() => document.querySelector('.dots canvas'));
      await accessible(page, `list, ${name}`);
      await fits('list');
      await picture(page, `list-${name}`);
      const row = page.locator(`[data-trace="${given.trace}"]`);
      if (size === '360') {
        const box = await row.boundingBox();
        holds('two lines a row', Math.round(box.height) === 44, String(box.height));
        for (const text of ['GET /checkout', given.long, '! error in pay']) holds(`${text} is there`, await row.getByText(text).first().isVisible());
        holds('services are not', !(await row.locator('.those').isVisible()));
      }
      await page.getByRole('button', { name: 'Form' }).click();
      await accessible(page, `form, ${name}`);
      await fits('form');
      await cold(page, `#/trace/${given.trace}`);
      await page.locator('.waterfall .space .span').first().waitFor();
      await accessible(page, `trace, ${name}`);
      await fits('trace');
      await picture(page, `trace-${name}`);
      if (size === '360') {
        const [what, lane] = await Promise.all(['.what', '.lane'].map((part) => page.locator(`.waterfall .space .span ${part}`).first().boundingBox()));
        holds('the name is over the bar', what.y + what.height <= lane.y + 1, JSON.stringify([what, lane]));
      }
      await page.locator(`[data-span="${given.pay}"]`).click();
      await page.locator('.details').getByText('card refused').first().waitFor();
      for (const tab of ['Events', 'Links', 'Resource', 'Raw', 'Attributes']) {
        await page.getByRole('tab', { name: new RegExp(tab) }).click();
        await accessible(page, `${tab} of a span, ${name}`);
      }
      await fits('span');
      await picture(page, `span-${name}`);
      await page.context().close();
    }
  }
});
