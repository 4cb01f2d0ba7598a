// A trace.
import { accessible, cold, exact, given, holds, picture, run, same, watched } from './browser.mjs';

const rows = (page) => page.locator('.waterfall .space .span');

await run(async (browser) => {
  // Until the sink has verdicts, asking for one is an error of the console.
  const page = await watched(browser, { quiet: ['Failed to load resource'] });
  await cold(page, `trace/${given.trace}`);
  await rows(page).first().waitFor();
  holds("Jaeger's address leads here", page.url().endsWith(`/#/trace/${given.trace}`), page.url());
  for (const [name, kind] of [['duration', 'nanos'], ['spans', 'count'], ['services', 'count'], ['errors', 'count']]) {
    same(name, await exact(page, name, kind), given[name]);
  }
  same('whole', await page.locator('[data-figure="state"]').innerText(), 'whole');
  same('rows with hops joined', await rows(page).count(), given.joined);
  same('origins', await page.locator('.span.origin').evaluateAll((all) => all.map((it) => it.dataset.span)), [given.began]);

  // The next error, its details, its figures.
  for (let nth = 0; nth < 5; nth++) await page.keyboard.press('e');
  await page.locator('.details').getByText('began here').waitFor();
  same('duration of pay', await exact(page, 'span-duration'), given.pay.duration);
  same('self of pay', await exact(page, 'span-self'), given.pay.self);
  holds('the span is in the address', page.url().endsWith(`/span/${given.began}`), page.url());
  await accessible(page, 'trace, light');
  await picture(page, 'trace-light');
  await page.getByRole('button', { name: 'Join hops' }).click();
  same('rows with hops open', await rows(page).count(), given.spans);
});
