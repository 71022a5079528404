import { existsSync, mkdirSync, readFileSync, writeFileSync } from 'node:fs';
import { dirname, join } from 'node:path';
import { Problem } from '../process/problem.ts';
import { assertOwnHome, makeHome } from './home.ts';
import { type DatabaseLayout, databaseLayouts } from './layouts.ts';
import type { ServicePlan } from './topology.ts';

export type SeveralDatabases = Exclude<DatabaseLayout, 'one'>;

const shardNames: Record<SeveralDatabases, readonly string[]> = { split: ['c1'], sharded: ['c1', 'c2'] };

/** The names of all databases of these layouts, beside the one of "one". */
export const severalDatabases: readonly string[] = [
  'gochat_directory',
  'gochat_accounts',
  ...shardNames.sharded.map((name) => `gochat_conversations_${name}`),
];

/**
 * Remembers the layout of a data folder. Throws a Problem if the folder has its data in another one: nothing would be
 * moved, so the system would be empty. Throws one, too, if the folder is not GoChat's.
 */
export function keepLayout(home: string, layout: DatabaseLayout): void {
  const path = join(home, 'databases.txt');
  const before = existsSync(path) ? readFileSync(path, 'utf8').trim() : undefined;
  const kept = before ?? (existsSync(join(home, 'run.json')) ? 'one' : layout);
  if (kept !== layout) {
    throw new Problem(
      `The data in ${home} has the layout "${kept}": start with --databases ${kept}, or wipe it with npm run reset.`,
    );
  }
  assertOwnHome(home);
  makeHome(home);
  writeFileSync(path, `${layout}\n`);
}

/** The layout of that name. Throws a Problem. */
export function layoutOf(name: string): DatabaseLayout {
  const layout = databaseLayouts.find((one) => one === name);
  if (layout) return layout;
  throw new Problem(`--databases takes ${databaseLayouts.join(' or ')}, not "${name}".`);
}

/** The same services with several databases, on the server where their one database would be. */
export const withSeveralDatabases = (
  plans: readonly ServicePlan[],
  layout: SeveralDatabases,
  home: string,
): ServicePlan[] =>
  plans.map((plan) => {
    const { DATABASE_URL: url, ...env } = plan.env;
    if (url === undefined) return plan;
    const file = writeDatabasesFile(join(home, `databases-${plan.name}.json`), layout, url);
    return { ...plan, env: { ...env, DATABASES_FILE: file } };
  });

/** Writes the file for DATABASES_FILE. Only its owner can read it, since addresses have passwords. */
export function writeDatabasesFile(path: string, layout: SeveralDatabases, url: string): string {
  const file = {
    directory: { primary: `${url}_directory` },
    accounts: [{ name: 'a1', primary: `${url}_accounts` }],
    conversations: shardNames[layout].map((name) => ({ name, primary: `${url}_conversations_${name}` })),
  };
  mkdirSync(dirname(path), { recursive: true });
  writeFileSync(path, JSON.stringify(file), { mode: 0o600 });
  return path;
}
