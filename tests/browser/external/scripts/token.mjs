// A sink that asks for a token.
import { accessible, cold, given, holds, picture, run, watched } from './browser.mjs';
import { send } from './send.mjs';

await run(async (browser) => {
  // Each refused request is an error of the console, which no page can keep from it.
  const page = await watched(browser, { quiet: ['401 (Unauthorized)', 'Failed to load resource'] });
  await send(given.later[0]);
  await cold(page);
  const panel = page.getByRole('region', { name: 'This sink asks for a token' });
  await panel.waitFor();
  await accessible(page, 'token');
  await picture(page, 'token-light');
  const give = async (text) => {
    await panel.getByRole('textbox').or(panel.locator('input')).first().fill(text);
    await panel.getByRole('button', { name: 'Use it' }).click();
  };
  await give('wrong');
  await panel.waitFor();
  await give(given.token);
  await page.locator(`[data-trace="${given.trace}"]`).waitFor();
  holds('the panel is gone', (await panel.count()) === 0);
  await page.locator('.live.on').waitFor();
  await send(given.later[1]);
  await page.waitForFunction(() => document.querySelector('[data-figure="traces"]')?.innerText === '2');
  await page.reload();
  await page.locator(`[data-trace="${given.trace}"]`).click();
  await page.locator('.waterfall .space .span').first().waitFor();
  holds('asked once', (await panel.count()) === 0);
  const kept = await page.evaluate(() => [Object.keys(localStorage).some((name) => name.includes('token')), document.cookie]);
  holds('kept in this tab alone', kept[0] === false && kept[1] === '');
});
