import { existsSync, mkdirSync, renameSync, rmSync, writeFileSync } from 'node:fs';
import { userInfo } from 'node:os';
import { join } from 'node:path';
import { Problem } from '../process/problem.ts';
import type { Progress } from '../process/progress.ts';
import { severalDatabases } from '../topology/databases.ts';
import { memorySettings } from '../topology/memory.ts';
import { type Profile, serverPorts } from '../topology/topology.ts';
import { mysqlGreets } from './probes.ts';
import type { Requirement } from './requirements.ts';
import type { Server, ServerContext } from './server.ts';

/** The differences between the servers that speak MySQL's protocol. */
export interface DatabaseEngine {
  /** The product name: `MariaDB`. */
  readonly title: string;
  /** The data folder, relative to the profile's home. */
  readonly folder: string;
  readonly requirements: readonly Requirement[];
  /** Options in addition to the common ones. */
  readonly options: readonly string[];
  /** Statements in addition to those that create the account. */
  readonly accounts: readonly string[];
  /** The server program; downloads it if it is missing. */
  program(progress: Progress, log: string): Promise<Program>;
  /** Creates an empty data directory. Resolves to an exit code. */
  initialize(program: Program, options: { data: string; user: string; log: string }): Promise<number>;
}

export interface Program {
  command: string;
  /** Arguments that precede all others. */
  args: string[];
}

/** The name of the process and its log, the same for all engines. */
const name = 'database';

/** A private database server with its own data folder. */
export function createDatabaseServer(
  engine: DatabaseEngine,
  { profile, progress, supervisor, passwords }: ServerContext,
): Server {
  const folder = join(profile.home, engine.folder);
  const data = join(folder, 'data');
  const temporary = join(folder, 'tmp');
  const accounts = join(folder, 'accounts.sql');
  const { mysql } = serverPorts(profile);
  const { username: user } = userInfo();
  let program: Program = { command: '', args: [] };

  async function initialize(log: string): Promise<void> {
    const draft = `${data}.new`;
    rmSync(draft, { recursive: true, force: true });
    if ((await engine.initialize(program, { data: draft, user, log })) !== 0) {
      throw new Problem(`${engine.title} could not create its data directory: see ${log}.`);
    }
    renameSync(draft, data);
  }

  const server: Server = {
    name: engine.title,
    provides: ['mysql'],
    ports: [mysql],
    requirements: engine.requirements,

    async prepare() {
      const log = supervisor.logFile(name);
      program = await engine.program(progress, log);
      mkdirSync(temporary, { recursive: true, mode: 0o700 });
      if (!existsSync(data)) await initialize(log);
      rmSync(accounts, { force: true });
      const statements = accountStatements(profile, passwords().database);
      writeFileSync(accounts, [statements, ...engine.accounts].join(''), { mode: 0o600 });
    },

    start: () =>
      supervisor.start({
        name,
        command: program.command,
        args: [
          ...program.args,
          `--user=${user}`,
          `--datadir=${data}`,
          // A separate folder: a server deletes all temporary tables in it at start, including those of other
          // servers.
          `--tmpdir=${temporary}`,
          `--port=${mysql.port}`,
          `--init-file=${accounts}`,
          ...commonOptions,
          `--innodb-buffer-pool-size=${memorySettings(profile.small).bufferPool}`,
          ...engine.options,
        ],
        env: process.env,
        isReady: server.ready,
        readyWithinMs: 60_000,
        stopWithinMs: 30_000,
        startAttempts: 1,
      }),

    ready: () => mysqlGreets(mysql.port),
    stop: () => supervisor.stop(name),
  };
  return server;
}

const commonOptions = [
  // Relative to the data directory, since a socket path is limited to 107 bytes and a checkout's path may be longer.
  '--socket=mysqld.sock',
  '--pid-file=mysqld.pid',
  '--bind-address=127.0.0.1',
  '--skip-name-resolve',
  '--character-set-server=utf8mb4',
  '--collation-server=utf8mb4_unicode_ci',
  '--default-time-zone=+00:00',
  // The default of MySQL 8.4, so that both engines refuse the same statements.
  '--sql-mode=ONLY_FULL_GROUP_BY,STRICT_TRANS_TABLES,NO_ZERO_IN_DATE,NO_ZERO_DATE,ERROR_FOR_DIVISION_BY_ZERO,NO_ENGINE_SUBSTITUTION',
  '--max-connections=300',
  '--max-allowed-packet=64M',
  // An acknowledged message is on disk.
  '--innodb-flush-log-at-trx-commit=1',
];

/**
 * Statements that run at every start, before the first connection. The account has rights on its own databases only: a
 * global right would also bypass read_only on a replica. In the test profile it may create test databases too.
 */
export function accountStatements({ name }: Pick<Profile, 'name'>, password: string): string {
  const account = "'gochat'@'127.0.0.1'";
  const testDatabases = '`gochat\\_%`.*';
  return [
    'CREATE DATABASE IF NOT EXISTS `gochat` CHARACTER SET utf8mb4;',
    `CREATE USER IF NOT EXISTS ${account} IDENTIFIED BY '${password}';`,
    `ALTER USER ${account} IDENTIFIED BY '${password}';`,
    `GRANT ALL ON \`gochat\`.* TO ${account};`,
    ...severalDatabases.map(
      (database) => `GRANT ALL ON \`${database.replaceAll('_', '\\_')}\`.* TO ${account};`,
    ),
    `GRANT ALL ON ${testDatabases} TO ${account};`,
    // REVOKE of a right that was never granted is an error, so the right is granted first.
    ...(name === 'gochat-test' ? [] : [`REVOKE ALL ON ${testDatabases} FROM ${account};`]),
    '',
  ].join('\n');
}
