// A Chromium, what it must not do, and the findings of a script.
import { createRequire } from 'node:module';
import fs from 'node:fs';
import path from 'node:path';

const require = createRequire(path.join(process.env.SIDESPAN_PACKAGES, 'index.js'));
const { chromium } = require('playwright-core');

/** What the test gives: the sink's `origin`, the folder for `pictures`, and what to expect. */
export const given = JSON.parse(fs.readFileSync(0, 'utf8'));

const findings = [];
const figures = {};
let checks = 0;

/** Notes a finding unless both are the same. */
export function same(what, found, expected) {
  checks += 1;
  const [a, b] = [JSON.stringify(found), JSON.stringify(expected)];
  if (a !== b) findings.push(`${what}: expected ${b}, found ${a}`);
}

/** Notes a finding unless it holds. */
export function holds(what, truth, more = '') {
  checks += 1;
  if (!truth) findings.push(`${what}${more ? `: ${more}` : ''}`);
}

/** Reports a figure, which the test may hold against a bound. */
export function figure(name, value) {
  figures[name] = value;
}

/** Opens a page that is watched: no error on the console, no request beyond the sink. `quiet` are console texts that may come. */
export async function watched(browser, { quiet = [], ...options } = {}) {
  const context = await browser.newContext({ viewport: { width: 1280, height: 800 }, locale: 'en-GB', timezoneId: 'UTC', ...options });
  await context.grantPermissions(['clipboard-read', 'clipboard-write'], { origin: given.origin });
  if (process.env.SIDESPAN_PAGE) await context.route(`${given.origin}/page/**`, fromDisk);
  const page = await context.newPage();
  page.setDefaultTimeout(60000);
  page.on('console', (message) => {
    const text = message.text();
    if (['error', 'warning'].includes(message.type()) && !quiet.some((it) => text.includes(it))) findings.push(`console: ${text} ${message.location().url}`);
  });
  page.on('pageerror', (error) => findings.push(`exception: ${error.stack}`));
  page.on('request', (request) => {
    const url = request.url();
    if (!url.startsWith(`${given.origin}/`) && !url.startsWith(`blob:${given.origin}/`)) findings.push(`a request leaves: ${url.slice(0, 200)}`);
  });
  return page;
}

/** For who works on the page: its files from the folder SIDESPAN_PAGE instead of the program, so that nothing is built again. */
async function fromDisk(route) {
  const file = path.join(process.env.SIDESPAN_PAGE, new URL(route.request().url()).pathname.slice('/page/'.length));
  const media = { '.css': 'text/css', '.svg': 'image/svg+xml' }[path.extname(file)] ?? 'text/javascript';
  await route.fulfill({ contentType: media, body: fs.readFileSync(file) });
}

/** Goes to a view, as a link opened cold. */
export const cold = (page, hash = '') => page.goto(`${given.origin}/${hash}`);

/** The exact figure of an element with `data-figure`. */
export const exact = (page, name, kind = 'nanos') =>
  page.locator(`[data-figure="${name}"]`).first().getAttribute(`data-${kind}`).then(Number);

/** Writes a picture. */
export const picture = (page, name) => page.screenshot({ path: path.join(given.pictures, `${name}.png`) });

/** Serious findings of axe-core on the page as it is. */
export async function accessible(page, what) {
  // By the protocol and not by a script element, which the page's policy would refuse.
  await page.evaluate(fs.readFileSync(require.resolve('axe-core/axe.min.js'), 'utf8'));
  const violations = await page.evaluate(async () => {
    const { violations } = await globalThis.axe.run(document, { resultTypes: ['violations'] });
    return violations.map(({ id, impact, nodes }) => ({ id, impact, nodes: nodes.slice(0, 3).map((node) => `${node.html.slice(0, 160)} ${node.failureSummary}`) }));
  });
  checks += 1;
  for (const { id, impact, nodes } of violations) {
    if (['serious', 'critical'].includes(impact)) findings.push(`${what}: ${id} (${impact}): ${nodes.join(' | ')}`);
  }
}

/** Runs a script with a browser, and reports; what it throws is a finding, too. */
export async function run(script) {
  const browser = await chromium.launch({
    executablePath: process.env.CHROMIUM ?? '/usr/bin/chromium',
    // The tests may run as root, where Chromium's own sandbox does not.
    args: ['--no-sandbox', '--disable-dev-shm-usage', '--force-color-profile=srgb', '--hide-scrollbars'],
  });
  try {
    await script(browser);
  } catch (error) {
    findings.push(error.stack);
  } finally {
    await browser.close();
  }
  console.log(JSON.stringify({ findings, checks, figures }));
}
