import { execFile } from 'node:child_process';
import { readFile } from 'node:fs/promises';
import { fileURLToPath } from 'node:url';
import { promisify } from 'node:util';

export type WorkflowBundle = { code: string };

const bundler = fileURLToPath(new URL('./workflow-bundler.ts', import.meta.url));
const longestMs = 60_000;
const maxBytes = 64 * 1024 * 1024;

/** The bundle in a file that was made before; without one it is made now. */
export const workflowBundle = async (file: string): Promise<WorkflowBundle> =>
  file === '' ? bundleWorkflows() : { code: await readFile(file, 'utf8') };

/**
 * All workflows as one script for all workers of a process. Made by a program of its own, since the bundler holds on
 * to 150 MB of whatever process it ran in.
 */
export async function bundleWorkflows(): Promise<WorkflowBundle> {
  const { stdout } = await promisify(execFile)(process.execPath, [bundler], {
    maxBuffer: maxBytes,
    timeout: longestMs,
  });
  return { code: stdout };
}
