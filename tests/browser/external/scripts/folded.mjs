// What is folded stays folded: when its span was chosen a moment ago, and when spans come to the open trace.
import { cold, given, run, same, watched } from './browser.mjs';
import { send } from './send.mjs';

await run(async (browser) => {
  const page = await watched(browser);
  const rows = page.locator('.waterfall .space .span');
  const chosen = page.locator('.span.chosen');
  const spans = (count) => page.locator(`[data-figure="spans"][data-count="${count}"]`).waitFor();
  await cold(page, `#/trace/${given.trace}`);
  await rows.first().waitFor();

  // Between the keys the page draws, but no frame is shown: what a browser under load does.
  await page.evaluate(async () => {
    const press = (key) => document.body.dispatchEvent(new KeyboardEvent('keydown', { key, bubbles: true, cancelable: true }));
    for (const key of ['e', 'e', 'e', 'h']) {
      press(key);
      for (let turn = 0; turn < 50; turn += 1) await null;
    }
    await new Promise((shown) => requestAnimationFrame(() => requestAnimationFrame(shown)));
  });
  same('chosen', await chosen.getAttribute('data-span'), given.front);
  same('folded', await chosen.getAttribute('aria-expanded'), 'false');
  same('rows', await rows.count(), 2);

  const [first, second] = given.later;
  const drawn = () => page.evaluate(() => new Promise((shown) => requestAnimationFrame(() => requestAnimationFrame(shown))));
  await send(first);
  await spans(12);
  await drawn();
  same('still chosen', await chosen.getAttribute('data-span'), given.front);
  same('still folded', await chosen.getAttribute('aria-expanded'), 'false');
  same('rows with the new span', await rows.count(), 3);

  // What is above the chosen span, too.
  await page.locator('.waterfall').getByRole('button', { name: 'Fold', exact: true }).first().click();
  same('rows of a folded root', await rows.count(), 1);
  await send(second);
  await spans(13);
  await drawn();
  same('rows of a root that is still folded', await rows.count(), 1);
});
