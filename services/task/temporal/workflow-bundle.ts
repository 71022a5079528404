import { execFile } from 'node:child_process';
import { readFile } from 'node:fs/promises';
import { fileURLToPath } from 'node:url';
import { promisify } from 'node:util';

export type WorkflowBundle = { code: string };

const bundler = fileURLToPath(new URL('./workflow-bundler.ts', import.meta.url));
const timeoutMs = 60_000;
const maxBytes = 64 * 1024 * 1024;

/** Reads the bundle from a file; builds it if `file` is empty. */
export const workflowBundle = async (file: string): Promise<WorkflowBundle> =>
  file === '' ? bundleWorkflows() : { code: await readFile(file, 'utf8') };

/**
 * Bundles all workflows into one script for all workers of a process. The bundler runs in a process of its own, since
 * it never releases about 150 MB of memory.
 */
export async function bundleWorkflows(): Promise<WorkflowBundle> {
  const { stdout } = await promisify(execFile)(process.execPath, [bundler], {
    maxBuffer: maxBytes,
    timeout: timeoutMs,
  });
  return { code: stdout };
}
