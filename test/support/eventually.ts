// Room: support for all kinds of tests. Assertions about behaviour belong in the tests.

/**
 * Waits for a condition; throws an Error after `withinMs`. It checks often, so that a test does not take longer than
 * the system. Give `everyMs` for a check that puts load on the system.
 */
export async function eventually(
  condition: () => boolean | Promise<boolean>,
  withinMs = 15_000,
  everyMs = 10,
): Promise<void> {
  const until = Date.now() + withinMs;
  while (!(await condition())) {
    if (Date.now() > until) throw new Error(`not within ${withinMs} ms: ${condition}`);
    await new Promise((resolve) => setTimeout(resolve, everyMs));
  }
}
