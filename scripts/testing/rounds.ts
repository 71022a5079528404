import { performance } from 'node:perf_hooks';
import { elapsed } from '../process/progress.ts';
import type { Counts } from './counts-reporter.ts';
import type { Selected } from './selection.ts';

/** Groups steps into rounds: the steps of a round run at the same time, the rounds one after the other. */
export function rounds(selected: readonly Selected[]): Selected[][] {
  const byRound = Map.groupBy(selected, ({ step }) => step.round);
  return [...byRound].toSorted(([a], [b]) => a - b).map(([, steps]) => steps);
}

/**
 * Runs the parts of some steps in the given order, `atOnce` parts at the same time, and prints the result of each
 * step. `envOf` is called just before a part starts.
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
