// Two traces by structure, and one with the median of its like.
import { accessible, cold, exact, given, holds, picture, run, same, watched } from './browser.mjs';

const places = (page) => page.locator('.both .space .place');
const sorted = (all) => all.sort((a, b) => (a.name < b.name ? -1 : 1));

/** What the rows say, exactly. */
const read = async (page) =>
  sorted(
    await places(page).evaluateAll((rows) =>
      rows.map((row) => {
        const nanos = (side) => row.querySelector(`.time[data-side="${side}"]`).dataset.nanos;
        const of = (side) => (nanos(side) === '' ? null : Number(nanos(side)));
        return { a: of('a'), b: of('b'), name: row.dataset.name, state: row.dataset.state };
      }),
    ),
  );

await run(async (browser) => {
  const page = await watched(browser);
  await cold(page, `#/compare/${given.a}/${given.b}`);
  await places(page).first().waitFor();
  same('rows', await read(page), given.both.rows);
  same('difference', await exact(page, 'difference'), given.both.difference);
  const causes = await page.locator('[data-cause]').evaluateAll((all) => all.map((it) => [it.dataset.cause, Number(it.dataset.nanos)]));
  same('causes', causes, given.both.causes);
  same('only in A', await exact(page, 'only-a', 'count'), given.both.rows.filter((it) => it.state === 'a').length);
  same('only in B', await exact(page, 'only-b', 'count'), given.both.rows.filter((it) => it.state === 'b').length);
  const order = await places(page).evaluateAll((rows) => rows.map((row) => row.dataset.name));
  holds('a step of B alone stands among its siblings', order.indexOf('old check') === order.indexOf('POST /pay') + 1, order.join(', '));
  holds('an error is a word for readers', (await page.locator('.place[data-name="POST /risk"] .bad').getAttribute('title')) === 'with an error');
  await accessible(page, 'compare, light');
  await picture(page, 'compare-light');

  // By keys alone: the next difference, its span, back, swapped.
  await page.keyboard.press('n');
  await page.locator('.place.chosen').waitFor();
  const differing = await page.locator('.place.chosen').getAttribute('data-name');
  holds('n goes to a difference', ['more', 'a', 'b'].includes(await page.locator('.place.chosen').getAttribute('data-state')), differing);
  await page.getByRole('button', { name: new RegExp(given.both.causes[0][0]) }).click();
  same('a cause leads to its row', await page.locator('.place.chosen').getAttribute('data-name'), given.both.causes[0][0]);
  await page.locator('.both').focus();
  await page.keyboard.press('Enter');
  await page.waitForURL(new RegExp(`#/trace/${given.a}/span/`));
  await page.locator('.details').waitFor();
  await page.goBack();
  await places(page).first().waitFor();
  await page.keyboard.press('x');
  await page.waitForURL(new RegExp(`#/compare/${given.b}/${given.a}`));
  await page.waitForFunction((nanos) => document.querySelector('[data-figure="difference"]')?.dataset.nanos === nanos, String(-given.both.difference));
  const swapped = given.both.rows.map((it) => ({ ...it, a: it.b, b: it.a, state: { a: 'b', b: 'a', more: 'less', less: 'more', same: 'same' }[it.state] }));
  same('rows swapped', await read(page), sorted(swapped));

  // With its like, from the trace's own screen.
  await cold(page, `#/trace/${given.a}`);
  await page.getByRole('link', { name: 'Compare' }).click();
  await page.waitForURL(new RegExp(`#/compare/${given.a}$`));
  await places(page).first().waitFor();
  same('its like', await exact(page, 'like', 'count'), given.like.traces);
  same('median', await exact(page, 'duration-B'), given.like.median);
  same('difference to its like', await exact(page, 'difference'), given.like.difference);
  await accessible(page, 'compare with its like, light');
  await picture(page, 'compare-like-light');

  // Another trace by its first digits, or its address; nonsense is refused with words.
  await page.getByPlaceholder('id or address of a trace').fill('what');
  await page.keyboard.press('Enter');
  await page.getByText('Expected the id of a trace').waitFor();
  await page.getByPlaceholder('id or address of a trace').fill(`${given.origin}/trace/${given.b}?uiFind=x`);
  await page.keyboard.press('Enter');
  await page.waitForURL(new RegExp(`#/compare/${given.a}/${given.b}$`));
  await cold(page, `trace/${given.a}...${given.b}`);
  await places(page).first().waitFor();
  holds("Jaeger's address leads here", page.url().endsWith(`/#/compare/${given.a}/${given.b}`), page.url());
  await cold(page, `#/compare/${given.alone}`);
  await page.getByText('No other trace here begins with').waitFor();

  const dark = await watched(browser, { colorScheme: 'dark' });
  await cold(dark, `#/compare/${given.a}/${given.b}`);
  await places(dark).first().waitFor();
  await accessible(dark, 'compare, dark');
  await picture(dark, 'compare-dark');
  const narrow = await watched(browser, { viewport: { width: 360, height: 740 } });
  await cold(narrow, `#/compare/${given.a}/${given.b}`);
  await places(narrow).first().waitFor();
  same('nothing is wider than the page', await narrow.evaluate(() => document.documentElement.scrollWidth), 360);
  await accessible(narrow, 'compare, narrow');
  await picture(narrow, 'compare-narrow');
});
