import { mkdtempSync, readFileSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { runShown } from './command.ts';
import type { Counts } from './counts-reporter.ts';
import { oneProcess } from './one-process.ts';

export interface RunOptions {
  env: NodeJS.ProcessEnv;
  stop: AbortSignal;
  /** For all files together; only a file whose process does not end reaches it. */
  timeoutMs: number;
  /** A pattern: only tests with a matching title run. */
  only: string | undefined;
}

/** For one test, unless the test sets its own timeout. */
const testTimeoutMs = 2 * 60_000;

/** Runs test files, each in a separate process, and prints the result of each file. */
export function runTestFiles(
  files: readonly string[],
  options: RunOptions & { concurrency: number },
): Promise<Counts> {
  return run(['--test', `--test-concurrency=${options.concurrency}`], files, options);
}

/** The same in one process, for files that leave no timers, sockets or globals behind. */
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
    // No timeout while a debugger is attached.
    ...(isDebugged(options.env) ? [] : [`--test-timeout=${testTimeoutMs}`]),
    ...(options.only === undefined ? [] : [`--test-name-pattern=${options.only}`]),
    ...[`--test-reporter=${join(reporters, 'failures-reporter.ts')}`, '--test-reporter-destination=stdout'],
    ...[`--test-reporter=${join(reporters, 'counts-reporter.ts')}`, `--test-reporter-destination=${counts}`],
    ...files,
  ];
  const code = await runShown(process.execPath, args, options);
  try {
    const result = JSON.parse(readFileSync(counts, 'utf8')) as Counts;
    // A failure outside of a test must not count as success.
    return code !== 0 && result.failed === 0 ? { ...result, failed: 1 } : result;
  } catch {
    return { passed: 0, failed: 1 };
  } finally {
    rmSync(folder, { recursive: true });
  }
}

/** True if an editor has attached its debugger, which it does by these variables. */
const isDebugged = ({ NODE_OPTIONS, VSCODE_INSPECTOR_OPTIONS }: NodeJS.ProcessEnv): boolean =>
  VSCODE_INSPECTOR_OPTIONS !== undefined || NODE_OPTIONS?.includes('--inspect') === true;
