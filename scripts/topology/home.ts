import { existsSync, mkdirSync, readdirSync, rmSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { Problem } from '../process/problem.ts';

/**
 * Subfolders of the user's data folder: for tests, benchmarks, what benchmarks know of a system that they did not start,
 * and `npm run dev` with a running `npm run stack`.
 */
export const homesWithin = {
  tests: 'test',
  smallMachine: 'small-machine',
  bench: 'bench-system',
  benchFixtures: 'bench',
  dev: 'dev',
} as const;

/** The folder of the files that users upload. */
export const fileFolder = (home: string): string => join(home, 'files');

const marker = 'gochat-home.txt';
const markerText = 'Data, logs and secrets of GoChat. `npm run reset` removes this folder.\n';

/** Throws a Problem if the folder contains files that are not GoChat's, which a reset would delete. */
export function assertOwnHome(home: string): void {
  if (isOwnHome(home)) return;
  // Tests and benchmarks have subfolders here, and may have run before the user's own system.
  const ours: readonly string[] = Object.values(homesWithin);
  const strangers = existsSync(home) ? readdirSync(home).filter((name) => !ours.includes(name)) : [];
  if (strangers.length === 0) return;
  throw new Problem(
    `${home} holds things that are not GoChat's (${strangers[0]}): set GOCHAT_HOME to an empty folder.`,
  );
}

/** Creates the folder and marks it as GoChat's. */
export function makeHome(home: string): void {
  mkdirSync(home, { recursive: true, mode: 0o700 });
  writeFileSync(join(home, marker), markerText);
}

/** Removes the folder with its content, if it is marked as GoChat's. */
export function wipeHome(home: string): void {
  if (isOwnHome(home)) rmSync(home, { recursive: true });
}

function isOwnHome(home: string): boolean {
  return existsSync(join(home, marker));
}
