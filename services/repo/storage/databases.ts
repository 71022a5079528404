import { codeOf } from '../../../lib/errors.ts';
import type { Logger } from '../../../lib/log.ts';
import type { Metrics } from '../../../lib/metrics.ts';
import { measurePools } from '../connections/pool.ts';
import { bucketOf, type Placement, spreadEvenly } from './buckets.ts';
import { type Database, type OpenDatabase, openDatabase } from './database.ts';
import { createReplicas, type ReadSettings } from './replicas.ts';

/** A database that has a part of the conversations. */
export type Shard = { name: string; url: string };

/** The address of each group's database. Several groups may have the same one. */
export type DatabaseAddresses = {
  directory: string;
  accounts: string;
  conversations: readonly Shard[];
  /** The addresses of each database's replicas, by its own address. */
  replicas?: ReadonlyMap<string, readonly string[]>;
  reads?: ReadSettings;
};

/** Each caller names the database that holds its data: the one of a group, or of a conversation. */
export type Databases = {
  /** What must be unique or found across all accounts and conversations. */
  directory: Database;
  users: Database;
  /** The database that holds a conversation, with its members and messages. */
  messagesOf(conversationId: string | number): Database;
  /** Groups things by the database that holds the conversation of each. */
  byShard<T>(things: readonly T[], conversationIdOf: (thing: T) => string | number): Map<Database, T[]>;
  /** The databases that hold conversations, for what concerns all of a user's conversations. */
  shards: readonly Database[];
  /** The first of them, for what concerns no particular conversation. */
  conversations: Database;
  /** Each database once. */
  all: readonly Database[];
  /** From now on conversations are where this says. Before the first call they are spread evenly. */
  place(placement: Placement): void;
  /**
   * Goes to other addresses of the same databases, for example after a promotion. Throws a configuration error if the
   * addresses are not of the same databases: nothing is moved by a new address.
   */
  move(addresses: DatabaseAddresses): void;
  /** Throws a configuration error if a replica has the data of another database than its primary. */
  checkReplicas(): Promise<void>;
  /** What the operator should know of replicas, one sentence each. */
  warnings(): Promise<string[]>;
  close(): Promise<void>;
  /** True if a database answers: what concerns it goes on although others are down. */
  ready(): Promise<boolean>;
  /** Tells of each database whether it answers, by its role ("directory", "conversations c1"), if there are several. */
  states: ReadonlyMap<string, () => Promise<boolean>>;
};

async function answers(database: Database): Promise<boolean> {
  await database.query('SELECT 1');
  return true;
}

/** Databases that did not answer a read. */
export type Lost = Set<Database>;

/** For a read that goes on without the databases that do not answer; undefined if one database has everything. */
export const noteLost = ({ all }: Pick<Databases, 'all'>): Lost | undefined =>
  all.length > 1 ? new Set() : undefined;

/** Reads rows from several databases at once. With `lost`, a database that does not answer is noted there. */
export async function fromAll<R>(
  databases: Iterable<Database>,
  read: (database: Database) => Promise<R[]>,
  lost?: Lost,
): Promise<R[]> {
  const readOrNote = async (database: Database): Promise<R[]> => {
    try {
      return await read(database);
    } catch (error) {
      if (!lost || codeOf(error) !== 'UNAVAILABLE') throw error;
      lost.add(database);
      return [];
    }
  };
  return (await Promise.all(Array.from(databases, readOrNote))).flat();
}

/** Reads rows of things from the databases that hold their conversations. */
export const fromEach = <T, R>(
  things: ReadonlyMap<Database, T[]>,
  read: (database: Database, some: T[]) => Promise<R[]>,
  lost?: Lost,
): Promise<R[]> => fromAll(things.keys(), (database) => read(database, things.get(database) ?? []), lost);

/** Reads rows of conversations from the databases that hold them. */
export const fromShardsOf = <R>(
  databases: Pick<Databases, 'byShard'>,
  conversationIds: readonly number[],
  read: (database: Database, some: number[]) => Promise<R[]>,
  lost?: Lost,
): Promise<R[]> =>
  fromEach(
    databases.byShard(conversationIds, (id) => id),
    read,
    lost,
  );

/** The addresses if one database has all groups. */
export const oneDatabase = (url: string): DatabaseAddresses => ({
  directory: url,
  accounts: url,
  conversations: [{ name: 'c1', url }],
});

/** What has an address, by name. */
const rolesOf = ({ directory, accounts, conversations }: DatabaseAddresses): Map<string, string> =>
  new Map([
    ['directory', directory],
    ['accounts', accounts],
    ...conversations.map(({ name, url }): [string, string] => [`conversations ${name}`, url]),
  ]);

/** The first role of the database at an address. */
const roleOf = (addresses: DatabaseAddresses, url: string): string =>
  [...rolesOf(addresses)].find(([, address]) => address === url)?.[0] ?? '';

const defaultReads: ReadSettings = { maxLagMs: 1000, tokenWaitMs: 50 };

/** The new address of each old one. */
function movesOf(before: DatabaseAddresses, after: DatabaseAddresses): Map<string, string> {
  const [old, next] = [rolesOf(before), rolesOf(after)];
  const changed = [...old.keys(), ...next.keys()].find((role) => old.has(role) !== next.has(role));
  if (changed !== undefined) {
    throw new Error(`configuration: a running im-repo cannot get or lose a database (${changed})`);
  }
  const moves = new Map<string, string>();
  for (const [role, url] of old) {
    const to = next.get(role) ?? url;
    if ((moves.get(url) ?? to) !== to) {
      throw new Error(`configuration: a running im-repo cannot divide a database (${role})`);
    }
    moves.set(url, to);
  }
  if (new Set(moves.values()).size < moves.size) {
    throw new Error('configuration: a running im-repo cannot make one database of two');
  }
  return moves;
}

/** Each address once. */
export const distinctUrls = ({ directory, accounts, conversations }: DatabaseAddresses): string[] => [
  ...new Set([directory, accounts, ...conversations.map(({ url }) => url)]),
];

/** Opens the database of each group. Groups with the same address share it and its connections. */
export function createDatabases(options: {
  addresses: DatabaseAddresses;
  log: Logger;
  /** Connections per database, and callers that may wait for one. */
  connectionLimit?: number;
  queueLimit?: number;
  metrics?: Metrics;
  /** Wraps each database, for tests (`guardGroups`); `holds` tells whether a conversation is in it. */
  wrap?: (database: Database, holds: (conversationId: number) => boolean) => Database;
}): Databases {
  const { addresses, metrics, wrap = (unchanged) => unchanged, ...rest } = options;
  const use = metrics && measurePools(metrics);
  const replicaReads = metrics?.counter(
    'gochat_replica_reads_total',
    'Reads that were tried at a replica; a replica that is late or fails leaves them to the primary.',
    ['from'],
  );
  let current = addresses;
  const urls = distinctUrls(addresses);
  // What concerns other databases must not wait for one that is down.
  const watched = urls.length > 1;
  let pools = new Map(
    urls.map((url) => {
      const open = (address: string, isWatched: boolean): OpenDatabase => {
        const opened = openDatabase({ url: address, ...rest, watched: isWatched, ...(use ? { use } : {}) });
        return { ...opened, database: wrap(opened.database, (id) => messagesOf(id) === database) };
      };
      const opened = open(url, watched);
      const replicas = createReplicas({
        role: roleOf(addresses, url),
        primary: opened.database,
        urls: addresses.replicas?.get(url) ?? [],
        open: (address) => open(address, true),
        settings: addresses.reads ?? defaultReads,
        onRead: (from) => replicaReads?.inc({ from }),
        log: rest.log,
      });
      const database: Database = { ...opened.database, replicas };
      return [url, { ...opened, database, replicas }];
    }),
  );
  const at = (url: string): Database => {
    const pool = pools.get(url);
    if (!pool) throw new Error('this address has no database');
    return pool.database;
  };
  const shards = new Map(addresses.conversations.map(({ name, url }) => [name, at(url)]));
  const [first] = shards.values();
  if (!first) throw new Error('no database is named for conversations');
  const all = [...pools.values()].map(({ database }) => database);
  metrics?.observed(
    'gochat_databases_down',
    'Databases that do not answer, where there are several: what they hold is refused.',
    () => [...pools.values()].filter(({ isDown }) => isDown()).length,
  );
  let placement = spreadEvenly([...shards.keys()]);

  const messagesOf = (conversationId: string | number): Database =>
    shards.size === 1 ? first : (shards.get(placement[bucketOf(Number(conversationId))] ?? '') ?? first);

  return {
    directory: at(addresses.directory),
    users: at(addresses.accounts),
    messagesOf,
    byShard: (things, conversationIdOf) =>
      Map.groupBy(things, (thing) => messagesOf(conversationIdOf(thing))),
    shards: [...shards.values()],
    conversations: first,
    all,
    place(next) {
      placement = next;
    },
    move(next) {
      const moves = movesOf(current, next);
      for (const [from, to] of moves) {
        if (from !== to) pools.get(from)?.move(to);
        pools.get(from)?.replicas.move(next.replicas?.get(to) ?? []);
      }
      pools = new Map([...pools].map(([url, pool]) => [moves.get(url) ?? url, pool]));
      current = next;
    },
    async checkReplicas() {
      await Promise.all([...pools.values()].map(({ replicas }) => replicas.check()));
    },
    async warnings() {
      const told = await Promise.allSettled([...pools.values()].map(({ replicas }) => replicas.warnings()));
      return told.flatMap((one) => (one.status === 'fulfilled' ? one.value : []));
    },
    async close() {
      await Promise.all([...pools.values()].map(({ replicas }) => replicas.close()));
      await Promise.all([...pools.values()].map(({ close }) => close()));
    },
    async ready() {
      return Promise.any(all.map(answers)).catch((error: AggregateError) => {
        throw error.errors[0];
      });
    },
    states: new Map(
      Array.from(watched ? rolesOf(addresses) : [], ([role, url]): [string, () => Promise<boolean>] => {
        const database = at(url);
        return [role, () => answers(database)];
      }),
    ),
  };
}
