import { PrismaMariaDb } from '@prisma/adapter-mariadb';
import { GoChatError } from '../../../lib/errors.ts';
import type { Logger } from '../../../lib/log.ts';
import { PrismaClient } from '../prisma/client/client.ts';

/** Runs a calm read: a list that somebody looks at, not what every message does. */
export type Prisma = {
  /** UNAVAILABLE when the database is not reachable. */
  read<T>(query: (client: PrismaClient) => Promise<T>): Promise<T>;
  close(): Promise<void>;
};

export function createPrisma(options: { url: string; log: Logger }): Prisma {
  const url = new URL(options.url);
  const adapter = new PrismaMariaDb({
    host: url.hostname,
    port: Number(url.port || 3306),
    user: decodeURIComponent(url.username),
    password: decodeURIComponent(url.password),
    database: decodeURIComponent(url.pathname.slice(1)),
    // MySQL 8.4 signs in with caching_sha2_password: without TLS the driver has to ask for the server's key.
    allowPublicKeyRetrieval: true,
    connectionLimit: 4,
    connectTimeout: 3000,
    acquireTimeout: 2000,
  });
  const client = new PrismaClient({ adapter });
  return {
    async read(query) {
      try {
        return await query(client);
      } catch (error) {
        if (!isUnavailable(error)) throw error;
        options.log.warn({ err: error }, 'database is not available');
        throw new GoChatError('UNAVAILABLE', 'The database is not reachable right now. Try again.');
      }
    },
    close: () => client.$disconnect(),
  };
}

/**
 * P1xxx: no connection. P2024 and P2028: none in time. P2039: the driver's own error, which for a read of a known
 * table is one of the connection.
 */
const isUnavailable = (error: unknown): boolean =>
  /^(P1\d\d\d|P2024|P2028|P2039)$/.test((error as { code?: string }).code ?? '');
