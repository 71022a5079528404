import { type ArchivedMessage, isSameMessage } from '../cold/archived-message.ts';
import type { ColdStore } from '../cold/cold-store.ts';
import { type ParquetFile, readRowGroup, sha256, writeParquet } from '../cold/parquet-file.ts';
import type { Database } from '../storage/database.ts';
import type { Ids } from '../storage/ids.ts';

/** An object that is in the store and has every row as it was given. */
export type WrittenObject = ParquetFile & { id: number; key: string; rows: readonly ArchivedMessage[] };

export type ArchiveObjectDeps = { store: ColdStore; ids: Pick<Ids, 'nextId'> };

/** The month in which messages were stored, for example 2026-05. */
export const periodOf = (createdAt: number): string => new Date(createdAt).toISOString().slice(0, 7);

const keyOf = (bucket: number, period: string, bytes: Buffer): string =>
  `v1/bucket=${String(bucket).padStart(4, '0')}/period=${period}/${sha256(bytes).toString('hex')}.parquet`;

/** The period of an object, from its key. */
export const periodOfKey = (key: string): string => /period=([0-9-]+)\//.exec(key)?.[1] ?? '';

/**
 * Writes messages into a new object, and reads it back. First the database notes that there will be such an object, so
 * that it is found if the process dies. Answers undefined if `replaced` has the same bytes.
 */
export async function writeObject(
  { store, ids }: ArchiveObjectDeps,
  database: Database,
  about: { bucket: number; period: string; rows: readonly ArchivedMessage[]; replacedKey?: string },
): Promise<WrittenObject | undefined> {
  const { bucket, period, rows, replacedKey } = about;
  const file = writeParquet(rows);
  const { bytes } = file;
  const key = keyOf(bucket, period, bytes);
  if (key === replacedKey) return undefined;
  const id = ids.nextId();
  await database.execute(
    'INSERT INTO cold_objects (id, object_key, bucket, bytes, messages, created_at, state) VALUES (?)',
    [[id, key, bucket, bytes.length, rows.length, Date.now(), 'writing']],
  );
  await store.objects.put(key, bytes, {
    size: bytes.length,
    sha256: sha256(bytes).toString('hex'),
    contentType: 'application/vnd.apache.parquet',
  });
  await compare(store, { ...file, key, rows });
  return { ...file, id, key, rows };
}

/** Reads an object back and throws unless it has every row as given. */
async function compare(
  store: ColdStore,
  { key, rowGroups, rows }: Pick<WrittenObject, 'key' | 'rowGroups' | 'rows'>,
): Promise<void> {
  const bytes = await readObject(store, key);
  let at = 0;
  for (const group of rowGroups) {
    const part = bytes.subarray(group.byteStart, group.byteStart + group.byteLength);
    for (const row of await readRowGroup(part, group)) {
      const given = rows[at];
      if (!given || !isSameMessage(row, given)) {
        throw new Error(`message ${given?.id} was read back from the object ${key} differently`);
      }
      at += 1;
    }
  }
  if (at !== rows.length) throw new Error(`the object ${key} lacks messages`);
}

/** The bytes of an object. Throws if it is missing or its bytes are not those that its key names. */
export async function readObject(store: ColdStore, key: string): Promise<Buffer> {
  const found = await store.objects.get(key);
  if (!found) throw new Error(`the object ${key} is missing`);
  const parts: Buffer[] = [];
  for await (const part of found.body as AsyncIterable<Buffer>) parts.push(part);
  const bytes = Buffer.concat(parts);
  if (!key.includes(sha256(bytes).toString('hex'))) throw new Error(`the object ${key} is damaged`);
  return bytes;
}

/**
 * Deletes the objects of a bucket that nothing refers to: those of a process that died before it published them, and
 * those that were replaced. The caller holds the bucket's lease.
 */
export async function clearUnused({ objects }: ColdStore, database: Database, bucket: number): Promise<void> {
  const rows = await database.query<{ id: number; object_key: string; is_used: number }>(
    // Indexes: cold_objects_state, cold_objects_key and cold_segments_object.
    `SELECT o.id, o.object_key, COUNT(p.id) AS is_used FROM cold_objects o
     LEFT JOIN cold_objects p ON p.object_key = o.object_key AND p.state = 'published'
     WHERE o.state IN ('writing', 'retired') AND o.bucket = ?
     GROUP BY o.id, o.object_key`,
    [bucket],
  );
  for (const { id, object_key, is_used } of rows) {
    if (is_used === 0) await objects.delete(object_key);
    await database.batch(
      `DELETE FROM cold_row_groups WHERE object_id = ${id};\nDELETE FROM cold_objects WHERE id = ${id}`,
    );
  }
}
