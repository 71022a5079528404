import { PrismaMariaDb } from '@prisma/adapter-mariadb';
import { GoChatError } from '../../../lib/errors.ts';
import type { Logger } from '../../../lib/log.ts';
import { PrismaClient } from '../prisma/client/client.ts';

/** Typed reads of accounts' tables, for lists that a user opens now and then. Reads that happen per message use `Database` instead. */
export type Prisma = {
  /** Throws UNAVAILABLE if the database is not reachable. */
  read<T>(query: (client: PrismaClient) => Promise<T>): Promise<T>;
  /** From the next read on, the database is at another address. */
  move(url: string): void;
  close(): Promise<void>;
};

export function createPrisma(options: { url: string; log: Logger }): Prisma {
  let client = connect(options.url);
  return {
    async read(query) {
      try {
        return await query(client);
      } catch (error) {
        if (!isUnavailable(error)) throw error;
        options.log.warn({ err: error }, 'the database is not available');
        throw new GoChatError('UNAVAILABLE', 'The database is not reachable right now. Try again.');
      }
    },
    move(url) {
      const before = client;
      client = connect(url);
      // It waits for the reads that are running.
      before.$disconnect().catch(() => undefined);
    },
    close: () => client.$disconnect(),
  };
}

function connect(address: string): PrismaClient {
  const url = new URL(address);
  const adapter = new PrismaMariaDb({
    host: url.hostname,
    port: Number(url.port || 3306),
    user: decodeURIComponent(url.username),
    password: decodeURIComponent(url.password),
    database: decodeURIComponent(url.pathname.slice(1)),
    // MySQL 8.4 authenticates with caching_sha2_password. Without TLS the driver has to ask for the server's public
    // key.
    allowPublicKeyRetrieval: true,
    connectionLimit: 4,
    connectTimeout: 3000,
    acquireTimeout: 2000,
  });
  return new PrismaClient({ adapter });
}

/**
 * P1xxx: no connection. P2024 and P2028: no connection in time. P2039: an error of the driver, which for a read of a
 * known table is a connection error.
 */
const isUnavailable = (error: unknown): boolean =>
  /^(P1\d\d\d|P2024|P2028|P2039)$/.test((error as { code?: string }).code ?? '');
