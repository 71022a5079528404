import { mkdtempSync, readFileSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { runShown } from './command.ts';
import type { Counts } from './counts-reporter.ts';
import { oneProcess } from './one-process.ts';

export interface RunOptions {
  env: NodeJS.ProcessEnv;
  stop: AbortSignal;
  /** For all files together. Only a file whose process does not end makes it this long. */
  longestMs: number;
  /** Of all tests in the files only those whose title fits. */
  only: string | undefined;
}

/** For one test, unless it names a time of its own. */
const longestTestMs = 2 * 60_000;

/** Runs test files, each in a process of its own, and tells on the terminal how each went. */
export function runTestFiles(
  files: readonly string[],
  options: RunOptions & { concurrency: number },
): Promise<Counts> {
  return run(['--test', `--test-concurrency=${options.concurrency}`], files, options);
}

/** The same for files that leave nothing behind in their process, which starts once for all of them. */
export function runInOneProcess(files: readonly string[], options: RunOptions): Promise<Counts> {
  return run([], [oneProcess, ...files], options);
}

async function run(mode: readonly string[], files: readonly string[], options: RunOptions): Promise<Counts> {
  if (files.length === 0) return { passed: 0, failed: 0 };
  const folder = mkdtempSync(join(tmpdir(), 'gochat-test-'));
  const counts = join(folder, 'counts.json');
  const reporters = import.meta.dirname;
  const args = [
    ...mode,
    // Who looks at a test with a debugger takes their time.
    ...(isDebugged(options.env) ? [] : [`--test-timeout=${longestTestMs}`]),
    ...(options.only === undefined ? [] : [`--test-name-pattern=${options.only}`]),
    ...[`--test-reporter=${join(reporters, 'failures-reporter.ts')}`, '--test-reporter-destination=stdout'],
    ...[`--test-reporter=${join(reporters, 'counts-reporter.ts')}`, `--test-reporter-destination=${counts}`],
    ...files,
  ];
  const code = await runShown(process.execPath, args, options);
  try {
    const result = JSON.parse(readFileSync(counts, 'utf8')) as Counts;
    // Anything that went wrong outside of a test must not pass for a success.
    return code !== 0 && result.failed === 0 ? { ...result, failed: 1 } : result;
  } catch {
    return { passed: 0, failed: 1 };
  } finally {
    rmSync(folder, { recursive: true });
  }
}

/** Editors hand their debugger on by these. */
const isDebugged = ({ NODE_OPTIONS, VSCODE_INSPECTOR_OPTIONS }: NodeJS.ProcessEnv): boolean =>
  VSCODE_INSPECTOR_OPTIONS !== undefined || NODE_OPTIONS?.includes('--inspect') === true;
