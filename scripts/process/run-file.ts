import { mkdirSync, readFileSync, renameSync, rmSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { type ProcessIdentity, terminate } from './process-identity.ts';

/** One running process of this data folder's GoChat; tests and the next start read it. */
export interface RunningProcess extends ProcessIdentity {
  /** How often the process died and was restarted. */
  restarts: number;
}

/** run.json: the running processes by name; `supervisor` is the `npm start` (or stack, or test) that started them. */
export type RunFile = Record<string, RunningProcess>;

export const supervisorName = 'supervisor';

export function readRunFile(home: string): RunFile {
  try {
    return JSON.parse(readFileSync(runFilePath(home), 'utf8')) as RunFile;
  } catch {
    return {};
  }
}

/** Replaces the file atomically, so that a reader never sees a partial file. */
export function writeRunFile(home: string, run: RunFile): void {
  mkdirSync(home, { recursive: true });
  const path = runFilePath(home);
  writeFileSync(`${path}.new`, `${JSON.stringify(run, null, 2)}\n`);
  renameSync(`${path}.new`, path);
}

export function removeRunFile(home: string): void {
  rmSync(runFilePath(home), { force: true });
}

/** Ends the processes that a killed supervisor has left running. The caller must hold the folder's lock. */
export async function endLeftovers(home: string): Promise<void> {
  const { [supervisorName]: _, ...children } = readRunFile(home);
  await Promise.all(Object.values(children).map((child) => terminate(child, 15_000)));
  removeRunFile(home);
}

function runFilePath(home: string): string {
  return join(home, 'run.json');
}
