import { type ChildProcess, spawn } from 'node:child_process';
import { tiedToUs } from '../process/program.ts';

export interface CommandOptions {
  env: NodeJS.ProcessEnv;
  /** Once it is aborted, the command is ended with its children. */
  stop: AbortSignal;
  /** A command that takes longer is ended with its children. */
  longestMs: number;
}

/** Runs a command that prints where we do; resolves to its exit code. */
export function runShown(command: string, args: string[], options: CommandOptions): Promise<number> {
  const child = spawn(...tiedToUs(command, args), {
    env: options.env,
    stdio: ['ignore', 'inherit', 'inherit'],
    detached: true,
  });
  return exitOf(child, options);
}

/** Runs a command and keeps what it prints. */
export async function runCaptured(command: string, args: string[], options: CommandOptions) {
  const child = spawn(...tiedToUs(command, args), {
    env: options.env,
    stdio: ['ignore', 'pipe', 'pipe'],
    detached: true,
  });
  const chunks: Buffer[] = [];
  for (const stream of [child.stdout, child.stderr]) stream.on('data', (chunk: Buffer) => chunks.push(chunk));
  const code = await exitOf(child, options);
  return { code, output: Buffer.concat(chunks).toString() };
}

function exitOf(child: ChildProcess, { stop, longestMs }: CommandOptions): Promise<number> {
  const end = () => {
    // The child is the head of a group of its own, which its own children belong to.
    if (child.pid !== undefined) process.kill(-child.pid, 'SIGKILL');
  };
  const deadline = setTimeout(() => {
    console.log(`  ✗ ended after ${longestMs / 60_000} minutes: one of its files does not come to an end`);
    end();
  }, longestMs);
  stop.addEventListener('abort', end);
  return new Promise((resolve) => {
    const answer = (code: number) => {
      clearTimeout(deadline);
      stop.removeEventListener('abort', end);
      resolve(code);
    };
    child.once('error', () => answer(127));
    child.once('close', (code) => answer(code ?? 1));
  });
}
