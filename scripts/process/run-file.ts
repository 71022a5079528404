import { mkdirSync, readFileSync, renameSync, rmSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { type ProcessIdentity, terminate } from './process-identity.ts';

/** One running process of this folder's GoChat, as others (tests, the next start) may read it. */
export interface RunningProcess extends ProcessIdentity {
  /** How often it was restarted after it died. */
  restarts: number;
}

/** run.json: what runs, by name; `supervisor` is the `npm start` (or stack, or test) that runs the rest. */
export type RunFile = Record<string, RunningProcess>;

export const supervisorName = 'supervisor';

export function readRunFile(home: string): RunFile {
  try {
    return JSON.parse(readFileSync(runFilePath(home), 'utf8')) as RunFile;
  } catch {
    return {};
  }
}

/** Replaces the file in one step, so that a reader never sees half of it. */
export function writeRunFile(home: string, run: RunFile): void {
  mkdirSync(home, { recursive: true });
  const path = runFilePath(home);
  writeFileSync(`${path}.new`, `${JSON.stringify(run, null, 2)}\n`);
  renameSync(`${path}.new`, path);
}

export function removeRunFile(home: string): void {
  rmSync(runFilePath(home), { force: true });
}

/** Ends what a start that was itself killed has left behind. Only call it with this folder's lock held. */
export async function endLeftovers(home: string): Promise<void> {
  const { [supervisorName]: _, ...children } = readRunFile(home);
  await Promise.all(Object.values(children).map((child) => terminate(child, 15_000)));
  removeRunFile(home);
}

function runFilePath(home: string): string {
  return join(home, 'run.json');
}
