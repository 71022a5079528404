import { parseArgs } from 'node:util';
import { Problem } from '../problem.ts';

const most = 1_000_000;
const names = { minutes: 'STORM_MINUTES', seed: 'STORM_SEED', only: 'STORM_ONLY' } as const;

/**
 * Takes what is meant for the storm out of the arguments of `npm test`: `--minutes 20`, `--seed 7` and
 * `--only 'kill|repo-mysql'`. Answers the other words, and the settings by which test/fault/storm.test.ts is told.
 */
export function stormSettings(args: string[]): { asked: string[]; settings: NodeJS.ProcessEnv } {
  const option = { type: 'string' } as const;
  const { values, positionals } = parse(args, { minutes: option, seed: option, only: option });
  for (const name of ['minutes', 'seed'] as const) {
    const value = values[name];
    if (value === undefined || (Number(value) > 0 && Number(value) < most)) continue;
    throw new Problem(`--${name} takes a number above 0 and below ${most}, not "${value}".`);
  }
  const settings = Object.entries(values).map(([name, value]) => [names[name as keyof typeof names], value]);
  return { asked: positionals, settings: Object.fromEntries(settings) };
}

function parse<T extends Record<string, { type: 'string' }>>(args: string[], options: T) {
  try {
    return parseArgs({ args, options, allowPositionals: true });
  } catch (error) {
    const [what] = (error as Error).message.split('. ');
    throw new Problem(
      `${what}: npm test takes the names of steps and test files, and for the storm --minutes, --seed and --only.`,
    );
  }
}
