// Chromium's own record of what its main thread did: the tasks of a page while something is done with it.

/**
 * Runs `work` under Chromium's trace, and returns its main-thread tasks, the longest first: `[{ millis, wall, parts }]`. `millis` is
 * the thread's own time, because on a machine that builds beside the test a task also waits for its turn; `wall` has that, too.
 */
export async function tasksOf(browser, page, work) {
  await browser.startTracing(page, { categories: ['toplevel', 'devtools.timeline', 'disabled-by-default-devtools.timeline', 'blink.user_timing'] });
  await work();
  const { traceEvents } = JSON.parse((await browser.stopTracing()).toString());
  const mains = new Set();
  for (const { ph, name, pid, tid, args } of traceEvents) {
    if (ph === 'M' && name === 'thread_name' && args.name === 'CrRendererMain') mains.add(`${pid}/${tid}`);
  }
  const own = traceEvents.filter(({ ph, pid, tid }) => ph === 'X' && mains.has(`${pid}/${tid}`));
  const tasks = own.filter(({ name }) => name === 'RunTask' || name === 'ThreadControllerImpl::RunTask');
  if (tasks.length === 0) throw new Error('the trace has no task of a main thread');
  const seen = tasks.sort((a, b) => (b.tdur ?? b.dur) - (a.tdur ?? a.dur)).slice(0, 5).map((task) => {
    const within = own.filter((it) => it !== task && it.pid === task.pid && it.tid === task.tid && it.ts >= task.ts && it.ts + it.dur <= task.ts + task.dur);
    const parts = within.filter(({ dur, name }) => dur > 3000 && name !== task.name).sort((a, b) => b.dur - a.dur).slice(0, 6);
    return { millis: (task.tdur ?? task.dur) / 1000, wall: task.dur / 1000, parts: parts.map(({ name, dur, args }) => `${name} ${Math.round(dur / 1000)} ms ${args?.data?.functionName ?? args?.data?.type ?? ''} ${args?.data?.url?.split('/page/')[1] ?? ''}:${args?.data?.lineNumber ?? ''}`) };
  });
  return { count: tasks.length, longest: seen };
}

/** Counts the frames that are drawn while `work` goes on, a second. */
export async function framesOf(page, work) {
  await page.evaluate(() => {
    globalThis.frames_ = { count: 0, from: performance.now() };
    const tick = () => {
      if (!globalThis.frames_) return;
      globalThis.frames_.count += 1;
      requestAnimationFrame(tick);
    };
    requestAnimationFrame(tick);
  });
  await work();
  return page.evaluate(() => {
    const { count, from } = globalThis.frames_;
    globalThis.frames_ = null;
    return Math.round((1000 * count) / (performance.now() - from));
  });
}
