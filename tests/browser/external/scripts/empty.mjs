// An empty sink, and its first trace.
import { accessible, cold, given, holds, picture, run, same, watched } from './browser.mjs';
import { send } from './send.mjs';

await run(async (browser) => {
  const page = await watched(browser);
  await cold(page);
  await page.getByText('No spans yet').waitFor();
  const lines = await page.locator('.empty code').allInnerTexts();
  holds('the line for an SDK', lines[0].startsWith(`OTEL_EXPORTER_OTLP_ENDPOINT=http://${given.http} `), lines[0]);
  holds('the line for the filter', lines[1].startsWith('export: {otlp: {service: '), lines[1]);
  await accessible(page, 'empty');
  await picture(page, 'empty-light');
  await send(given.later[0]);
  await page.locator(`[data-trace="${given.trace}"]`).waitFor();
  same('the empty state is gone', await page.getByText('No spans yet').count(), 0);
});
