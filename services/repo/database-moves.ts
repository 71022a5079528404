import { unwatchFile, watchFile } from 'node:fs';
import { createSingleFlight } from '../../lib/async/single-flight.ts';
import type { Logger } from '../../lib/log.ts';
import { requireMigrated } from './migrate.ts';
import { type DatabaseAddresses, type Databases, distinctUrls } from './storage/databases.ts';
import { readDatabaseAddresses } from './storage/databases-file.ts';
import type { Prisma } from './storage/prisma.ts';

/** How often the file is looked at. */
const lookEveryMs = 2000;

export type DatabaseMoves = {
  /** Reads the file and goes to its addresses. Resolves to false if it stays at the old ones; the log says why. */
  reload(): Promise<boolean>;
  stop(): void;
};

/**
 * Follows the file that DATABASES_FILE names: on SIGHUP, and when the file changes, im-repo goes to the new addresses of
 * its databases. So a promoted replica is found without a restart. A file with a fault changes nothing.
 */
export function followDatabasesFile(deps: {
  path: string;
  addresses: DatabaseAddresses;
  databases: Databases;
  prisma: Pick<Prisma, 'move'>;
  log: Logger;
}): DatabaseMoves {
  const { path, databases, prisma, log } = deps;
  let current = deps.addresses;

  async function move(): Promise<boolean> {
    try {
      const next = readDatabaseAddresses({ DATABASE_URL: '', DATABASES_FILE: path });
      const known = new Set(distinctUrls(current));
      for (const url of distinctUrls(next)) if (!known.has(url)) await requireMigrated(url, log);
      databases.move(next);
      if (next.accounts !== current.accounts) prisma.move(next.accounts);
      current = next;
      log.info('the addresses of the databases are read again');
      return true;
    } catch (error) {
      log.error({ err: error }, 'the addresses of the databases stay as they were');
      return false;
    }
  }

  const moves = createSingleFlight(move);
  const onChange = () => void moves.run();
  process.on('SIGHUP', onChange);
  watchFile(path, { interval: lookEveryMs, persistent: false }, onChange);

  return {
    reload: moves.run,
    stop() {
      process.off('SIGHUP', onChange);
      unwatchFile(path, onChange);
    },
  };
}
