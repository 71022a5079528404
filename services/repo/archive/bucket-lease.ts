import { randomUUID } from 'node:crypto';
import { databaseTime } from '../storage/change-time.ts';
import { type Database, formatSql, type Transaction } from '../storage/database.ts';

/** Longer than an object takes to be written, read back and published. */
const leaseMs = 120_000;

export type BucketLease = {
  bucket: number;
  /** Locks the lease to the end of the transaction. Throws if it has ended. */
  require(tx: Transaction): Promise<void>;
  release(): Promise<void>;
};

/**
 * Takes the right to write objects of a bucket, or answers undefined if somebody else has it. It ends by itself if the
 * process dies; whoever takes it next clears up.
 */
export async function takeBucketLease(database: Database, bucket: number): Promise<BucketLease | undefined> {
  const token = randomUUID();
  await database.execute(
    `INSERT INTO cold_leases (bucket, token, lease_until) VALUES (?, ?, ${databaseTime} + ?)
     ON DUPLICATE KEY UPDATE
       token = IF(lease_until < ${databaseTime}, VALUES(token), token),
       lease_until = IF(token = VALUES(token), VALUES(lease_until), lease_until)`,
    [bucket, token, leaseMs],
  );
  const isOwn = formatSql(
    `SELECT 1 FROM cold_leases WHERE bucket = ? AND token = ? AND lease_until > ${databaseTime}`,
    [bucket, token],
  );
  const rows = await database.query(isOwn);
  if (rows.length === 0) return undefined;
  return {
    bucket,
    async require(tx) {
      const own = await tx.query(`${isOwn} FOR UPDATE`);
      if (own.length === 0) throw new Error(`the lease of bucket ${bucket} has ended`);
    },
    async release() {
      await database.execute('DELETE FROM cold_leases WHERE bucket = ? AND token = ?', [bucket, token]);
    },
  };
}
