import { randomUUID } from 'node:crypto';
import { mkdir } from 'node:fs/promises';
import { createSingleFlight } from '../../../lib/async/single-flight.ts';
import { GoChatError } from '../../../lib/errors.ts';
import type { Logger } from '../../../lib/log.ts';
import type { Metrics } from '../../../lib/metrics.ts';
import type { Database } from '../storage/database.ts';
import { openStore, readStoreAddress } from '../store/open-store.ts';
import type { ObjectStore } from '../store/store.ts';

/** The object that says whose store this is. */
export const markerKey = 'installation.json';
/** How long a look at the marker counts. */
const seenForMs = 1000;

export type ColdStore = {
  objects: ObjectStore;
  /** Rejects with UNAVAILABLE unless the store can be reached and has this installation's marker. */
  requireMarker(): Promise<void>;
  /** The same, but a store is marked if this installation never had one. */
  mark(): Promise<void>;
};

/** Requests for a page wait for the store, so they give up sooner than other calls to stores. */
const deadlineMs = 3000;

/** Opens the store that COLD_URL names; undefined if it names none. Marks it, if it can be reached. */
export async function openColdStore(deps: {
  url: string;
  directory: Database;
  log: Logger;
  metrics: Metrics;
}): Promise<ColdStore | undefined> {
  const { url, directory, log, metrics } = deps;
  if (url === '') return undefined;
  const objects = await openStore('COLD_URL', url, { name: 'cold', log, metrics, deadlineMs });
  const store = createColdStore({ objects, url, directory });
  store
    .mark()
    .catch((error: unknown) => log.warn({ err: error }, 'the store of old messages cannot be used now'));
  return store;
}

/**
 * The store of old messages, with the marker that tells it from another installation's store, and from the empty
 * directory that is there when a disk is not mounted. Messages that were moved there exist nowhere else.
 */
export function createColdStore(deps: { objects: ObjectStore; url: string; directory: Database }): ColdStore {
  const { objects, url, directory } = deps;
  let seenAt = Number.NEGATIVE_INFINITY;
  let name: string | undefined;

  const readInstallation = async () => {
    const [row] = await directory.query<{ name: string; cold_marked_at: number | null }>(
      'SELECT name, cold_marked_at FROM installation WHERE id = 1',
    );
    name = row?.name;
    return row;
  };

  /** Of several processes that start at once, the first one decides. */
  async function nameInstallation() {
    await directory.execute(
      'INSERT INTO installation (id, name) VALUES (1, ?) ON DUPLICATE KEY UPDATE id = VALUES(id)',
      [randomUUID()],
    );
    const row = await readInstallation();
    if (!row) throw new Error('the name of the installation was not stored');
    return row;
  }

  async function readMarker(): Promise<string | undefined> {
    const found = await objects.get(markerKey);
    if (!found) return undefined;
    const parts: Buffer[] = [];
    for await (const part of found.body as AsyncIterable<Buffer>) parts.push(part);
    const marker: unknown = JSON.parse(Buffer.concat(parts).toString('utf8'));
    return (marker as { installation?: string }).installation;
  }

  const look = createSingleFlight(async () => {
    const own = name ?? (await readInstallation())?.name;
    const marker = own && (await readMarker());
    if (marker === undefined) throw unavailable('has no marker of this installation');
    if (marker !== own) throw unavailable('belongs to another installation');
    seenAt = performance.now();
  });

  async function requireMarker(): Promise<void> {
    if (performance.now() - seenAt > seenForMs) await look.run();
  }

  return {
    objects,
    requireMarker,
    async mark() {
      const installation = (await readInstallation()) ?? (await nameInstallation());
      if (installation.cold_marked_at === null) {
        const address = readStoreAddress('COLD_URL', url);
        if (address.kind === 'directory') await mkdir(address.path, { recursive: true });
        const body = Buffer.from(`${JSON.stringify({ installation: installation.name })}\n`);
        await objects.put(markerKey, body, { size: body.length, contentType: 'application/json' });
        await requireMarker();
        await directory.execute(
          'UPDATE installation SET cold_marked_at = ? WHERE id = 1 AND cold_marked_at IS NULL',
          [Date.now()],
        );
      }
      await look.run();
    },
  };
}

const unavailable = (why: string): GoChatError =>
  new GoChatError('UNAVAILABLE', `The store of old messages ${why}. Try again.`);
