import { type ChildProcess, spawn } from 'node:child_process';
import { Redis } from 'ioredis';
import { findProgram } from '../../../scripts/process/program.ts';
import { atEnd } from '../at-end.ts';
import { eventually } from '../eventually.ts';
import { freePort } from './free-port.ts';

/** A separate Redis for the test file, which tests can freeze and kill; it ends with the file. */
export type PrivateRedis = {
  url: string;
  /** A client for reading and changing its data. */
  client: Redis;
  /** Suspends the server: it keeps its connections and answers no command. */
  freeze(): void;
  thaw(): void;
  kill(): Promise<void>;
  /** Starts it again under the same address, empty. */
  restart(): Promise<void>;
};

export async function startPrivateRedis(): Promise<PrivateRedis> {
  const port = await freePort();
  // One program with several names, which behaves according to the name that it is started by.
  const command = findProgram('redis-server', 'redis-check-rdb');
  if (!command) throw new Error('no Redis server is installed');
  const url = `redis://127.0.0.1:${port}/0`;
  const client = new Redis(url, { lazyConnect: true, retryStrategy: () => 20, maxRetriesPerRequest: null });
  client.on('error', () => undefined);
  let server: ChildProcess | undefined;

  async function start() {
    server = spawn(
      command ?? '',
      ['--port', String(port), '--bind', '127.0.0.1', '--save', '', '--dir', '/tmp'],
      {
        argv0: 'redis-server',
        stdio: 'ignore',
      },
    );
    if (client.status === 'wait') await client.connect().catch(() => undefined);
    await eventually(() => answers());
  }

  const answers = () =>
    client.status === 'ready' &&
    client.ping().then(
      () => true,
      () => false,
    );

  async function kill() {
    const gone = new Promise((resolve) => server?.once('exit', resolve));
    server?.kill('SIGKILL');
    await gone;
  }

  atEnd(async () => {
    client.disconnect();
    if (server?.exitCode === null && server.signalCode === null) await kill();
  });
  await start();
  return {
    url,
    client,
    freeze: () => void server?.kill('SIGSTOP'),
    thaw: () => void server?.kill('SIGCONT'),
    kill,
    restart: start,
  };
}
