// Room: what tests of all kinds share. Assertions about behaviour stay in the tests.

/** Waits for a condition and fails after `withinMs`. Checks often, so that a test takes as long as the thing does; what costs
 * the system something to look at, every `everyMs`. */
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
