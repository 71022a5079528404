import { parseArgs } from 'node:util';
import { Problem } from '../process/problem.ts';
import { layoutOf } from '../topology/databases.ts';
import type { DatabaseLayout } from '../topology/layouts.ts';
import { type DatabaseName, databaseNames } from '../topology/topology.ts';

export interface Arguments {
  /** Names of steps and of test files. */
  asked: string[];
  /** Environment variables for the tests that last as long as one likes: the storm, the SDK's, the small machine's. */
  settings: NodeJS.ProcessEnv;
  /** The database server to test on; undefined for the default. */
  database?: DatabaseName;
  /** How the groups of tables are spread; undefined for one database. */
  databases?: DatabaseLayout;
  /** True: if that server cannot run here, run no tests and exit with success. */
  orSkip: boolean;
}

const max = 1_000_000;
const names = { minutes: 'STORM_MINUTES', seed: 'STORM_SEED', only: 'STORM_ONLY' } as const;

/**
 * Parses the arguments of `npm test`: names of steps and files, `--database mysql`, `--or-skip`, `--databases split`, and
 * for the storm `--minutes 20`, `--seed 7` and `--only 'kill|repo-mysql'`. The SDK's fault test takes the minutes and the
 * seed, too, and the small machine the minutes.
 */
export function readArguments(args: string[]): Arguments {
  const { values, positionals } = parse(args);
  for (const name of ['minutes', 'seed'] as const) {
    const value = values[name];
    if (value === undefined || (Number(value) > 0 && Number(value) < max)) continue;
    throw new Problem(`--${name} takes a number above 0 and below ${max}, not "${value}".`);
  }
  const settings = Object.entries(names).flatMap(([name, variable]) => {
    const value = values[name as keyof typeof names];
    return value === undefined ? [] : [[variable, value]];
  });
  return {
    asked: positionals,
    settings: Object.fromEntries(settings),
    orSkip: values['or-skip'] === true,
    ...readDatabase(values.database),
    ...(values.databases === undefined ? {} : { databases: layoutOf(values.databases) }),
  };
}

function readDatabase(wanted: string | undefined): { database?: DatabaseName } {
  if (wanted === undefined) return {};
  const database = databaseNames.find((name) => name === wanted);
  if (database) return { database };
  throw new Problem(`--database takes ${databaseNames.join(' or ')}, not "${wanted}".`);
}

function parse(args: string[]) {
  const string = { type: 'string' } as const;
  const options = {
    ...{ minutes: string, seed: string, only: string, database: string, databases: string },
    'or-skip': { type: 'boolean' },
  } as const;
  try {
    return parseArgs({ args, options, allowPositionals: true });
  } catch (error) {
    const [what] = (error as Error).message.split('. ');
    throw new Problem(
      `${what}: npm test takes the names of steps and test files, --database, --databases, and for the storm --minutes, --seed and --only.`,
    );
  }
}
