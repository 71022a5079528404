import { type ChildProcess, spawn } from 'node:child_process';
import { tiedToUs } from '../process/program.ts';

export interface CommandOptions {
  env: NodeJS.ProcessEnv;
  /** When it is aborted, the command and its children are killed. */
  stop: AbortSignal;
  /** After this time the command and its children are killed. */
  timeoutMs: number;
}

/** Runs a command with this process's output; resolves to its exit code. */
export function runShown(command: string, args: string[], options: CommandOptions): Promise<number> {
  const child = spawn(...tiedToUs(command, args), {
    env: options.env,
    stdio: ['ignore', 'inherit', 'inherit'],
    detached: true,
  });
  return exitOf(child, options);
}

/** Runs a command and captures its output. */
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

function exitOf(child: ChildProcess, { stop, timeoutMs }: CommandOptions): Promise<number> {
  const end = () => {
    // The child leads a process group, which includes its own children.
    if (child.pid !== undefined) process.kill(-child.pid, 'SIGKILL');
  };
  const deadline = setTimeout(() => {
    console.log(`  ✗ killed after ${timeoutMs / 60_000} minutes: one of its files does not end`);
    end();
  }, timeoutMs);
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
