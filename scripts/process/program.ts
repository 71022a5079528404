import { execFile, spawn } from 'node:child_process';
import { accessSync, closeSync, constants, mkdirSync, openSync } from 'node:fs';
import { delimiter, dirname, join } from 'node:path';

/** Debian installs servers in sbin folders, which the PATH of ordinary users lacks. */
const extraFolders = ['/usr/local/sbin', '/usr/sbin', '/sbin'];

/** The path of the first of `names` that is installed. */
export function findProgram(...names: string[]): string | undefined {
  const folders = [...(process.env.PATH ?? '').split(delimiter), ...extraFolders].filter(Boolean);
  for (const name of names) {
    for (const folder of folders) {
      const path = join(folder, name);
      if (isExecutable(path)) return path;
    }
  }
  return undefined;
}

export interface Output {
  code: number;
  stdout: string;
  stderr: string;
}

/** Runs a short command and returns its exit code and output. It never throws; a missing program has code 127. */
export function output(
  command: string,
  args: string[],
  {
    timeoutMs = 20_000,
    env = process.env,
    cwd = '.',
  }: { timeoutMs?: number; env?: NodeJS.ProcessEnv; cwd?: string } = {},
): Promise<Output> {
  return new Promise((resolve) => {
    execFile(
      command,
      args,
      { timeout: timeoutMs, maxBuffer: 16 << 20, env, cwd },
      (error, stdout, stderr) => {
        const code = error === null ? 0 : typeof error.code === 'number' ? error.code : 127;
        resolve({ code, stdout, stderr });
      },
    );
  });
}

/**
 * Wraps a command so that the kernel sends it SIGTERM when this process dies for any reason. It needs setpriv, which
 * every Linux distribution has; on other systems the command stays unchanged.
 */
export function tiedToUs(command: string, args: string[]): [string, string[]] {
  const setpriv = process.platform === 'linux' ? findProgram('setpriv') : undefined;
  return setpriv === undefined ? [command, args] : [setpriv, ['--pdeathsig', 'TERM', '--', command, ...args]];
}

/** Runs a long command and appends its output to the file `log`; resolves to its exit code. */
export function runLogged(
  command: string,
  args: string[],
  options: { log: string; env?: NodeJS.ProcessEnv; cwd?: string },
): Promise<number> {
  mkdirSync(dirname(options.log), { recursive: true });
  const log = openSync(options.log, 'a');
  const [tied, tiedArgs] = tiedToUs(command, args);
  const child = spawn(tied, tiedArgs, {
    stdio: ['ignore', log, log],
    env: options.env ?? process.env,
    ...(options.cwd === undefined ? {} : { cwd: options.cwd }),
  });
  closeSync(log);
  return new Promise((resolve) => {
    child.once('error', () => resolve(127));
    child.once('exit', (code) => resolve(code ?? 1));
  });
}

function isExecutable(path: string): boolean {
  try {
    accessSync(path, constants.X_OK);
    return true;
  } catch {
    return false;
  }
}
