import { type ChildProcess, spawn } from 'node:child_process';
import { closeSync, mkdirSync, openSync } from 'node:fs';
import { dirname, join, resolve } from 'node:path';
import { tiedToUs } from '../process/program.ts';

const root = resolve(import.meta.dirname, '../..');
const port = 5173;

/** Serves the web client from its sources by Vite, which shows every change at once; calls go to the gateway. */
export function serveWebClient({ gatewayUrl, log }: { gatewayUrl: string; log: string }) {
  mkdirSync(dirname(log), { recursive: true });
  const file = openSync(log, 'a');
  const vite = join(root, 'node_modules', 'vite', 'bin', 'vite.js');
  const [command, args] = tiedToUs(process.execPath, [vite, 'clients/web', '--clearScreen', 'false']);
  const child: ChildProcess = spawn(command, args, {
    cwd: root,
    stdio: ['ignore', file, file],
    env: { ...process.env, GATEWAY_URL: gatewayUrl },
  });
  closeSync(file);
  const ended = new Promise<void>((done) => {
    child.once('exit', () => done());
    child.once('error', () => done());
  });
  return {
    url: `http://127.0.0.1:${port}`,
    async stop(): Promise<void> {
      child.kill('SIGTERM');
      await ended;
    },
  };
}

export type WebDevelopment = ReturnType<typeof serveWebClient>;
