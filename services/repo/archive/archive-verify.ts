import { parseId } from '../../../lib/domain/ids.ts';
import { invalid } from '../../../lib/domain/refusals.ts';
import type { VerifyArchiveRequest, VerifyArchiveResponse } from '../../../lib/gen/im_repo/v1/archive.ts';
import type { ColdMessages } from '../cold/cold-messages.ts';
import { readSegments } from '../cold/cold-segments.ts';
import type { ColdStore } from '../cold/cold-store.ts';
import { type Database, formatSql } from '../storage/database.ts';
import type { Databases } from '../storage/databases.ts';
import { readObject } from './archive-object.ts';

const objectsPerCall = 5;
const maxFaults = 50;
/** An object without a row may be one that is just being written. */
const youngMs = 3_600_000;

type ObjectRow = { id: number; object_key: string; messages: number };

/** Compares all objects with the database: bytes, hashes, rows, and that the segments of each conversation have no holes. */
export function createArchiveVerify(deps: {
  databases: Databases;
  store: ColdStore;
  cold: Pick<ColdMessages, 'read'>;
}) {
  const { databases, store, cold } = deps;

  async function faultsOf(database: Database, { id, object_key, messages }: ObjectRow): Promise<string[]> {
    try {
      await readObject(store, object_key);
      const segments = await readSegments(database, formatSql('s.object_id = ?', [id]));
      const rows = await cold.read(segments, { keep: false });
      const count = rows.reduce((sum, { length }) => sum + length, 0);
      return count === messages
        ? []
        : [`the object ${object_key} has ${messages} messages, but segments for ${count}`];
    } catch (error) {
      return [error instanceof Error ? error.message : String(error)];
    }
  }

  return async (request: VerifyArchiveRequest): Promise<VerifyArchiveResponse> => {
    const after = request.afterObjectId === '' ? 0 : parseId(request.afterObjectId);
    if (after === undefined) throw invalid('after_object_id', 'must be an id');
    await store.mark();
    const pages = await Promise.all(
      databases.shards.map(async (database) => {
        const rows = await database.query<ObjectRow>(
          `SELECT id, object_key, messages FROM cold_objects WHERE state = 'published' AND id > ?
           ORDER BY id LIMIT ?`,
          [after, objectsPerCall],
        );
        return rows.map((row) => ({ ...row, database }));
      }),
    );
    const objects = pages
      .flat()
      .sort((a, b) => a.id - b.id)
      .slice(0, objectsPerCall);
    const faults: string[] = [];
    if (after === 0) faults.push(...(await holes(databases)), ...(await strangers(databases, store)));
    for (const object of objects) faults.push(...(await faultsOf(object.database, object)));
    const last = objects.at(-1);
    return {
      objects: objects.length,
      messages: objects.reduce((sum, { messages }) => sum + messages, 0),
      faults: faults.slice(0, maxFaults),
      nextAfterObjectId: objects.length === objectsPerCall && last ? String(last.id) : '',
    };
  };
}

/** Conversations whose segments do not cover everything up to cold_until_seq. */
async function holes({ shards }: Databases): Promise<string[]> {
  const rows = await Promise.all(
    shards.map((shard) =>
      shard.query<{ conversation_id: number }>(
        `SELECT h.conversation_id FROM conversation_heads h
         LEFT JOIN (SELECT conversation_id, SUM(last_seq_id - first_seq_id + 1) AS messages,
             MAX(last_seq_id) AS last_seq_id, MIN(first_seq_id) AS first_seq_id
           FROM cold_segments GROUP BY conversation_id) s ON s.conversation_id = h.conversation_id
         WHERE h.cold_until_seq > 0 AND NOT (COALESCE(s.messages, 0) = h.cold_until_seq
           AND COALESCE(s.last_seq_id, 0) = h.cold_until_seq AND COALESCE(s.first_seq_id, 0) = 1) LIMIT ?`,
        [maxFaults],
      ),
    ),
  );
  return rows
    .flat()
    .map(
      ({ conversation_id }) => `archived messages of the conversation ${conversation_id} are in no object`,
    );
}

/** Objects in the store that the database does not know. */
async function strangers(databases: Databases, { objects }: ColdStore): Promise<string[]> {
  const found: string[] = [];
  let keys: string[] = [];
  const look = async () => {
    if (keys.length === 0) return;
    const known = await Promise.all(
      databases.shards.map((shard) =>
        shard.query<{ object_key: string }>('SELECT object_key FROM cold_objects WHERE object_key IN (?)', [
          keys,
        ]),
      ),
    );
    const names = new Set(known.flat().map(({ object_key }) => object_key));
    for (const key of keys) if (!names.has(key)) found.push(`the object ${key} is not known to the database`);
    keys = [];
  };
  for await (const { key, modifiedAt } of objects.list('v1/')) {
    if (Date.now() - modifiedAt > youngMs) keys.push(key);
    if (keys.length === 200) await look();
    if (found.length >= maxFaults) break;
  }
  await look();
  return found;
}
