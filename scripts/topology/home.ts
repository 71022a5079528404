import { existsSync, mkdirSync, readdirSync, rmSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { Problem } from '../process/problem.ts';
import { homesWithin } from './topology.ts';

const marker = 'gochat-home.txt';
const markerText = 'Data, logs and secrets of GoChat. `npm run reset` removes this folder.\n';

/** Throws if the folder holds other people's things, which a reset would wipe one day. */
export function assertOwnHome(home: string): void {
  if (isOwnHome(home)) return;
  // They keep their folders inside, and may have been the first to run.
  const ours: readonly string[] = Object.values(homesWithin);
  const strangers = existsSync(home) ? readdirSync(home).filter((name) => !ours.includes(name)) : [];
  if (strangers.length === 0) return;
  throw new Problem(
    `${home} holds things that are not GoChat's (${strangers[0]}): set GOCHAT_HOME to an empty folder.`,
  );
}

/** Makes the folder and marks it as ours. */
export function makeHome(home: string): void {
  mkdirSync(home, { recursive: true, mode: 0o700 });
  writeFileSync(join(home, marker), markerText);
}

/** Removes the folder with all that is in it, if it is ours. */
export function wipeHome(home: string): void {
  if (isOwnHome(home)) rmSync(home, { recursive: true });
}

function isOwnHome(home: string): boolean {
  return existsSync(join(home, marker));
}
