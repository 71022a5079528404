import { existsSync, mkdirSync, renameSync, rmSync, writeFileSync } from 'node:fs';
import { userInfo } from 'node:os';
import { join } from 'node:path';
import { Problem } from '../problem.ts';
import { findProgram, runLogged } from '../program.ts';
import { type Profile, serverPorts } from '../topology.ts';
import { mysqlGreets } from './probes.ts';
import { program } from './requirements.ts';
import type { Server, ServerContext } from './server.ts';

/**
 * A private MariaDB from Debian's -core packages: they hold the binaries without the service that the full
 * package would start on port 3306.
 */
export function createMariadb({ profile, supervisor, passwords }: ServerContext): Server {
  const folder = join(profile.home, 'mariadb');
  const data = join(folder, 'data');
  const accounts = join(folder, 'accounts.sql');
  const { mysql } = serverPorts(profile);

  const server: Server = {
    name: 'MariaDB',
    ports: [mysql],
    requirements: [
      program('mariadb-server-core', 'mariadbd'),
      program('mariadb-server-core', 'mariadb-install-db'),
      program('mariadb-client-core', 'my_print_defaults'),
    ],

    async prepare() {
      mkdirSync(folder, { recursive: true, mode: 0o700 });
      if (!existsSync(data)) await installSystemTables(data, supervisor.logFile('mariadb'));
      rmSync(accounts, { force: true });
      writeFileSync(accounts, accountStatements(profile, passwords().database), { mode: 0o600 });
    },

    start: () =>
      supervisor.start({
        name: 'mariadb',
        command: findProgram('mariadbd') ?? 'mariadbd',
        args: serverOptions(data, accounts, mysql.port),
        env: process.env,
        isReady: server.ready,
        readyWithinMs: 60_000,
        stopWithinMs: 30_000,
        startAttempts: 1,
      }),

    ready: () => mysqlGreets(mysql.port),
    stop: () => supervisor.stop('mariadb'),
  };
  return server;
}

async function installSystemTables(data: string, log: string): Promise<void> {
  const draft = `${data}.new`;
  rmSync(draft, { recursive: true, force: true });
  const code = await runLogged(
    findProgram('mariadb-install-db') ?? 'mariadb-install-db',
    [
      '--no-defaults',
      `--datadir=${draft}`,
      `--user=${userInfo().username}`,
      '--auth-root-authentication-method=socket',
      `--auth-root-socket-user=${userInfo().username}`,
      '--skip-test-db',
    ],
    { log },
  );
  if (code !== 0) throw new Problem(`MariaDB could not create its data directory: see ${log}.`);
  renameSync(draft, data);
}

function serverOptions(data: string, accounts: string, port: number): string[] {
  return [
    '--no-defaults',
    `--user=${userInfo().username}`,
    `--datadir=${data}`,
    // Relative to the data directory: a socket's path may have no more than 107 bytes, a checkout's may.
    '--socket=mysqld.sock',
    '--pid-file=mysqld.pid',
    '--bind-address=127.0.0.1',
    `--port=${port}`,
    '--skip-name-resolve',
    `--init-file=${accounts}`,
    '--character-set-server=utf8mb4',
    '--collation-server=utf8mb4_unicode_ci',
    '--default-time-zone=+00:00',
    // MySQL 8.4's own default, so that the same statements are refused on both.
    '--sql-mode=ONLY_FULL_GROUP_BY,STRICT_TRANS_TABLES,NO_ZERO_IN_DATE,NO_ZERO_DATE,ERROR_FOR_DIVISION_BY_ZERO,NO_ENGINE_SUBSTITUTION',
    '--max-connections=300',
    '--max-allowed-packet=64M',
    '--innodb-buffer-pool-size=256M',
    // An acknowledged message is on disk.
    '--innodb-flush-log-at-trx-commit=1',
    // The data is the user's own and private; nothing here is worth a symbolic link out of it.
    '--skip-symbolic-links',
  ];
}

/**
 * Runs at every start, before the first connection. The account's rights end at its own database: a right
 * on everything would also bypass read_only on a replica. Tests make databases of their own beside it.
 */
export function accountStatements({ name }: Pick<Profile, 'name'>, password: string): string {
  const account = "'gochat'@'127.0.0.1'";
  const testDatabases = '`gochat\\_%`.*';
  return [
    'CREATE DATABASE IF NOT EXISTS `gochat` CHARACTER SET utf8mb4;',
    `CREATE USER IF NOT EXISTS ${account} IDENTIFIED BY '${password}';`,
    `ALTER USER ${account} IDENTIFIED BY '${password}';`,
    `GRANT ALL ON \`gochat\`.* TO ${account};`,
    `GRANT ALL ON ${testDatabases} TO ${account};`,
    // To take back what was never given is an error, so it is given first.
    ...(name === 'gochat-test' ? [] : [`REVOKE ALL ON ${testDatabases} FROM ${account};`]),
    '',
  ].join('\n');
}
