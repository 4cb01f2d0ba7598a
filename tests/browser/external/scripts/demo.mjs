// The page that the demo leaves open, and the picture of it in the README.
import { fileURLToPath } from 'node:url';
import { cold, exact, given, run, same, watched } from './browser.mjs';

await run(async (browser) => {
  const page = await watched(browser, { viewport: { width: 1000, height: 560 } });
  await cold(page, given.view);
  await page.locator('.waterfall .space .span').first().waitFor();
  same('spans', await exact(page, 'spans', 'count'), given.spans);
  same('services', await exact(page, 'services', 'count'), given.services);
  await page.locator('[data-figure="state"]').getByText('whole').waitFor();
  if (process.env.SIDESPAN_UPDATE) {
    await page.screenshot({ path: fileURLToPath(new URL('../../../../harness/trace.png', import.meta.url)) });
  }
});
