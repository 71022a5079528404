import { type ChildProcess, spawn } from 'node:child_process';
import { cpSync, mkdtempSync, rmSync } from 'node:fs';
import { createConnection } from 'node:net';
import { tmpdir, userInfo } from 'node:os';
import { join } from 'node:path';
import { createLogger } from '../../../lib/log.ts';
import { findProgram, output } from '../../../scripts/process/program.ts';
import { createDatabases, oneDatabase } from '../../../services/repo/storage/databases.ts';
import { atEnd } from '../at-end.ts';
import { eventually } from '../eventually.ts';

import { freePort } from './free-port.ts';

/** A separate MariaDB for the test file, which tests can freeze and kill; it ends with the file. */
export type PrivateMariadb = {
  port: number;
  /** The address of one of its databases, for an account with all rights. */
  url(database: string): string;
  /** Runs a statement of the server's administrator. */
  execute(statement: string): Promise<void>;
  /** Suspends the server: it keeps its connections and answers no statement. */
  freeze(): void;
  thaw(): void;
  /** Ends the server with SIGKILL. */
  kill(): Promise<void>;
  /** Starts it again with its data. */
  restart(): Promise<void>;
};

const smallest = [
  '--innodb-buffer-pool-size=32M',
  '--innodb-log-file-size=8M',
  '--key-buffer-size=1M',
  '--performance-schema=OFF',
  // A kill of the process loses nothing that the system's memory has.
  '--innodb-flush-log-at-trx-commit=2',
];

let template: Promise<string> | undefined;

/** An empty data folder, which each server gets a copy of: making one takes seconds. */
async function makeTemplate(): Promise<string> {
  const folder = mkdtempSync(join(tmpdir(), 'gochat-mariadb-'));
  atEnd(() => rmSync(folder, { recursive: true, force: true }));
  const data = join(folder, 'data');
  const made = await output(
    findProgram('mariadb-install-db') ?? 'mariadb-install-db',
    [
      '--no-defaults',
      `--datadir=${data}`,
      `--user=${userInfo().username}`,
      '--auth-root-authentication-method=normal',
      '--skip-test-db',
      '--innodb-log-file-size=8M',
    ],
    { timeoutMs: 120_000 },
  );
  if (made.code !== 0) throw new Error(`MariaDB could not create a data folder: ${made.stderr}`);
  return data;
}

/** Starts a server. `options` are further arguments of mariadbd. */
export async function startPrivateMariadb(options: readonly string[] = []): Promise<PrivateMariadb> {
  template ??= makeTemplate();
  const folder = mkdtempSync(join(tmpdir(), 'gochat-mariadb-'));
  const data = join(folder, 'data');
  cpSync(await template, data, { recursive: true });
  const port = await freePort();
  let server: ChildProcess | undefined;

  async function start(): Promise<void> {
    server = spawn(
      findProgram('mariadbd') ?? 'mariadbd',
      [
        '--no-defaults',
        `--user=${userInfo().username}`,
        `--datadir=${data}`,
        `--tmpdir=${folder}`,
        `--port=${port}`,
        '--bind-address=127.0.0.1',
        '--socket=mysqld.sock',
        '--pid-file=mysqld.pid',
        '--skip-symbolic-links',
        ...smallest,
        ...options,
      ],
      { stdio: 'ignore' },
    );
    await eventually(() => greets(port), 60_000, 50);
  }

  async function kill(): Promise<void> {
    if (!server || server.exitCode !== null || server.signalCode !== null) return;
    const gone = new Promise((resolve) => server?.once('exit', resolve));
    server.kill('SIGKILL');
    await gone;
  }

  atEnd(async () => {
    await kill();
    rmSync(folder, { recursive: true, force: true });
  });
  await start();
  return {
    port,
    async execute(statement) {
      const addresses = oneDatabase(`mysql://root@127.0.0.1:${port}/mysql`);
      const databases = createDatabases({
        addresses,
        log: createLogger('test', 'error'),
        connectionLimit: 1,
      });
      await databases.users.execute(statement).finally(databases.close);
    },
    url: (database) => `mysql://root@127.0.0.1:${port}/${database}`,
    freeze: () => void server?.kill('SIGSTOP'),
    thaw: () => void server?.kill('SIGCONT'),
    kill,
    restart: start,
  };
}

/** True if a server sends its greeting on the port: it accepts connections. */
const greets = (port: number): Promise<boolean> =>
  new Promise((resolve) => {
    const socket = createConnection({ port, host: '127.0.0.1' });
    const answer = (greeted: boolean) => {
      socket.destroy();
      resolve(greeted);
    };
    socket.once('data', () => answer(true));
    socket.once('error', () => answer(false));
    socket.setTimeout(1000, () => answer(false));
  });

/** Makes a new server a replica of another one, `delaySeconds` behind it. */
export async function follow(
  replica: PrivateMariadb,
  primary: PrivateMariadb,
  delaySeconds = 0,
): Promise<void> {
  await replica.execute(
    `CHANGE MASTER TO MASTER_HOST = '127.0.0.1', MASTER_PORT = ${primary.port}, MASTER_USER = 'root',
       MASTER_USE_GTID = slave_pos, MASTER_DELAY = ${delaySeconds}, MASTER_CONNECT_RETRY = 1`,
  );
  await replica.execute('START SLAVE');
}
