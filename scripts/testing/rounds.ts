import { performance } from 'node:perf_hooks';
import { elapsed } from '../process/progress.ts';
import type { Counts } from './counts-reporter.ts';
import type { Selected } from './selection.ts';

/** Steps that run at the same time, one round after the other. */
export function rounds(selected: readonly Selected[]): Selected[][] {
  const byRound = Map.groupBy(selected, ({ step }) => step.round);
  return [...byRound].toSorted(([a], [b]) => a - b).map(([, steps]) => steps);
}

/**
 * Runs the parts of some steps, `atOnce` at the same time in the order in which they are given, and says how each step
 * ended. `envOf` is asked only when a part's turn has come.
 */
export async function runSteps(
  selected: readonly Selected[],
  options: {
    atOnce: number;
    envOf(selected: Selected): Promise<NodeJS.ProcessEnv>;
    stop: AbortSignal;
    say(line: string): void;
  },
): Promise<Counts> {
  const total: Counts = { passed: 0, failed: 0 };
  const waiting = selected.flatMap((one) => {
    const { step, files, only } = one;
    const parts = step.parts(files, only);
    const counts: Counts = { passed: 0, failed: 0 };
    let from: number | undefined;
    let left = parts.length;
    return parts.map((part) => async () => {
      const env = await options.envOf(one);
      from ??= performance.now();
      add(counts, await part(env, options.stop));
      left -= 1;
      if (left > 0) return;
      add(total, counts);
      options.say(`   ${step.name}: ${counts.passed} passed, ${counts.failed} failed, ${elapsed(from)}`);
    });
  });
  const work = async () => {
    for (let next = waiting.shift(); next !== undefined && !options.stop.aborted; next = waiting.shift()) {
      await next();
    }
  };
  await Promise.all(Array.from({ length: options.atOnce }, work));
  return total;
}

function add(total: Counts, { passed, failed }: Counts): void {
  total.passed += passed;
  total.failed += failed;
}
