// The verdict on a trace.
import { accessible, cold, given, holds, picture, run, same, watched } from './browser.mjs';

await run(async (browser) => {
  const page = await watched(browser);
  const verdict = await (await fetch(`${given.origin}/api/sidespan/v1/traces/${given.broken}/verdict`)).json();
  const finding = verdict.findings.find((it) => it.hop?.from === given.from && it.hop?.to === given.to);
  holds('the sink finds the hop', finding !== undefined, JSON.stringify(verdict));
  await cold(page, `#/trace/${given.broken}`);
  const shown = page.locator(`.verdict li[data-from="${given.from}"][data-to="${given.to}"]`);
  await shown.waitFor();
  same('kind and cause', await shown.evaluate((it) => [it.dataset.kind, it.dataset.cause]), [finding.kind, finding.cause]);
  same('findings', await page.locator('.verdict li').count(), verdict.findings.length);
  same('message, as in the terminal', await shown.locator('.message').innerText(), finding.message);
  same('cure, as in the terminal', await shown.locator('.cure').innerText(), `cure: ${finding.cure}`);
  const said = await page.locator('[data-figure="state"]').innerText();
  holds('the head says broken, and by what', said.startsWith(`broken: ${finding.cause.replaceAll('_', ' ')}`), said);
  holds('the rows keep the focus', await page.evaluate(() => document.activeElement.classList.contains('waterfall')));
  await accessible(page, 'verdict, light');
  await picture(page, 'verdict-light');

  // The hop is marked in the rows, and a finding leads to its spans.
  const marked = await page.locator('.span.broken').evaluateAll((all) => all.map((it) => it.dataset.span));
  holds('the call is marked', marked.includes(given.call), marked.join(', '));
  await shown.getByRole('button', { name: given.call }).click();
  await page.waitForURL(new RegExp(`/span/${given.call}$`));
  await page.locator('.verdict').getByRole('button', { name: 'Close the verdict' }).click();
  await page.locator('.verdict').waitFor({ state: 'detached' });
  await page.locator('.waterfall').focus();
  await page.keyboard.press('v');
  await shown.waitFor();

  await cold(page, `#/trace/${given.whole}`);
  await page.locator('[data-figure="state"]').filter({ hasText: 'whole' }).waitFor();
  same('a whole trace has no panel', await page.locator('.verdict').count(), 0);

  const narrow = await watched(browser, { viewport: { width: 360, height: 740 }, colorScheme: 'dark' });
  await cold(narrow, `#/trace/${given.broken}`);
  await narrow.locator('.verdict li').first().waitFor();
  same('nothing is wider than the page', await narrow.evaluate(() => document.documentElement.scrollWidth), 360);
  await accessible(narrow, 'verdict, narrow, dark');
  await picture(narrow, 'verdict-narrow-dark');
});
