import { mkdirSync, mkdtempSync, readFileSync, renameSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { dirname, join } from 'node:path';
import { Problem } from '../process/problem.ts';
import { runLogged } from '../process/program.ts';
import type { Progress } from '../process/progress.ts';
import { assertPrivateAptWorks, unpackFromUnstable } from './apt-root.ts';
import type { DatabaseEngine, Program } from './database-server.ts';
import { cached, isCached } from './downloads.ts';

const cacheName = 'mysql-debian';
/** The parts of the packages that the server needs. */
const kept = ['usr/sbin/mysqld', 'usr/lib/mysql', 'usr/lib/x86_64-linux-gnu', 'usr/lib64', 'usr/share/mysql'];

/**
 * MySQL, which Debian has only in its unstable release. The package is unpacked with its libraries and its dynamic
 * linker, since it needs newer ones than this machine has.
 */
export const mysql: DatabaseEngine = {
  title: 'MySQL',
  folder: 'mysql',
  requirements: [],

  async program(progress, log) {
    const root = await mysqlPrograms(progress, log);
    progress.say(`The database is MySQL ${readFileSync(join(root, 'version'), 'utf8')}`);
    return programIn(root);
  },

  initialize: ({ command, args }, { data, user, log }) =>
    runLogged(command, [...args, '--initialize-insecure', `--user=${user}`, `--datadir=${data}`], { log }),

  options: [
    '--mysqlx=OFF',
    '--secure-file-priv=NULL',
    // MariaDB has both off by default: the performance schema takes 200 MB, the binary log writes all data twice.
    '--performance-schema=OFF',
    '--disable-log-bin',
  ],

  // The data folder is private, and no client needs the root account.
  accounts: ["ALTER USER 'root'@'localhost' ACCOUNT LOCK;"],
};

/** The folder with MySQL's programs; downloads them if they are missing. */
export async function mysqlPrograms(progress: Progress, log: string): Promise<string> {
  try {
    if (!isCached(cacheName)) assertPrivateAptWorks();
    return await cached(cacheName, (draft) =>
      progress.step('Downloading MySQL from Debian unstable (60 MB)', () => download(draft, log)),
    );
  } catch (error) {
    throw new Problem(
      `MySQL cannot be had here: ${error instanceof Error ? error.message : error} (see ${log}).`,
    );
  }
}

async function download(folder: string, log: string): Promise<void> {
  const work = mkdtempSync(join(tmpdir(), 'gochat-mysql-'));
  try {
    const contents = join(folder, 'contents');
    const version = await unpackFromUnstable('mysql-server-core', { folder: contents, work, log });
    for (const path of kept) {
      mkdirSync(dirname(join(folder, path)), { recursive: true });
      renameSync(join(contents, path), join(folder, path));
    }
    rmSync(contents, { recursive: true });
    writeFileSync(join(folder, 'version'), version);
    // A program that does not run on this machine must not get into the cache.
    const { command, args } = programIn(folder);
    if ((await runLogged(command, [...args, '--version'], { log })) !== 0) throw new Error('it does not run');
  } finally {
    rmSync(work, { recursive: true, force: true });
  }
}

const programIn = (root: string): Program => ({
  command: join(root, 'usr/lib64/ld-linux-x86-64.so.2'),
  args: [
    ...['--library-path', join(root, 'usr/lib/x86_64-linux-gnu')],
    join(root, 'usr/sbin/mysqld'),
    '--no-defaults',
    `--basedir=${join(root, 'usr')}`,
    `--lc-messages-dir=${join(root, 'usr/share/mysql')}`,
    `--plugin-dir=${join(root, 'usr/lib/mysql/plugin')}`,
  ],
});
