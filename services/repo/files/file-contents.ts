import type { Readable } from 'node:stream';
import { setTimeout as sleep } from 'node:timers/promises';
import { GoChatError } from '../../../lib/errors.ts';
import type { Databases } from '../storage/databases.ts';
import { isTrue } from '../storage/sql.ts';
import type { ObjectStore } from '../store/store.ts';

export type Content = { sha256: Buffer; size: number; mime: string; body: () => Readable | Buffer };

/** How long an upload may take from the note of its content to the row of its file, besides the time for its bytes. */
const leaseMs = 300_000;
/** Half of the pace at which the store takes bytes at least. */
const slowestBytesPerMs = 128;
const waitMs = 200;
const maxWaits = 25;
const contentsPerRound = 100;

export const contentKey = (sha256: Buffer): string => {
  const hash = sha256.toString('hex');
  return `files/${hash.slice(0, 2)}/${hash}`;
};

export type FileContents = ReturnType<typeof createFileContents>;

/**
 * The contents in the store, each once, whoever uploaded it. A row in the directory notes a content before it is stored,
 * so that no object is ever without a row. An object is deleted only while its row says `deleting`; an upload of the same
 * content waits until it is gone, and then stores it again.
 */
export function createFileContents({ databases, store }: { databases: Databases; store: ObjectStore }) {
  const { directory } = databases;

  /** Notes that the content is about to get a file. False while it is being deleted. */
  async function note(sha256: Buffer, size: number): Promise<boolean> {
    const checkAt = Date.now() + leaseMs + Math.ceil(size / slowestBytesPerMs);
    return directory.transaction(async (tx) => {
      await tx.execute(
        `INSERT INTO file_contents (sha256, check_at) VALUES (?, ?)
         ON DUPLICATE KEY UPDATE check_at = IF(deleting, check_at, VALUES(check_at))`,
        [sha256, checkAt],
      );
      const [row] = await tx.query<{ deleting: number }>(
        'SELECT deleting FROM file_contents WHERE sha256 = ?',
        [sha256],
      );
      return !isTrue(row?.deleting);
    });
  }

  async function isUsed(sha256: Buffer): Promise<boolean> {
    // Indexes: files_sha256, files_thumbnail.
    const rows = await databases.users.query(
      `(SELECT 1 FROM files WHERE sha256 = ? LIMIT 1)
       UNION ALL (SELECT 1 FROM files WHERE thumbnail_sha256 = ? LIMIT 1)`,
      [sha256, sha256],
    );
    return rows.length > 0;
  }

  async function sweepOne(sha256: Buffer, checkAt: number): Promise<void> {
    if (await isUsed(sha256)) {
      await directory.execute(
        'UPDATE file_contents SET check_at = NULL WHERE sha256 = ? AND check_at = ? AND NOT deleting',
        [sha256, checkAt],
      );
      return;
    }
    // An upload that notes the content meanwhile changes `check_at`.
    await directory.execute('UPDATE file_contents SET deleting = TRUE WHERE sha256 = ? AND check_at = ?', [
      sha256,
      checkAt,
    ]);
    const [row] = await directory.query<{ deleting: number }>(
      'SELECT deleting FROM file_contents WHERE sha256 = ?',
      [sha256],
    );
    if (!isTrue(row?.deleting)) return;
    await store.delete(contentKey(sha256));
    await directory.execute('DELETE FROM file_contents WHERE sha256 = ? AND deleting', [sha256]);
  }

  return {
    /** Stores a content for a file whose row follows at once. Rejects with UNAVAILABLE. */
    async keep({ sha256, size, mime, body }: Content): Promise<void> {
      for (let waits = 0; !(await note(sha256, size)); waits++) {
        if (waits === maxWaits)
          throw new GoChatError('UNAVAILABLE', 'The file is just being deleted. Try again.');
        await sleep(waitMs);
      }
      const about = { size, sha256: sha256.toString('hex'), contentType: mime };
      await store.put(contentKey(sha256), body(), about);
    },

    /** Lets the sweep look whether the contents of a file that is about to go still have other files. */
    async release(hashes: readonly Buffer[]): Promise<void> {
      await directory.execute(
        'UPDATE file_contents SET check_at = COALESCE(check_at, ?) WHERE sha256 IN (?)',
        [Date.now(), hashes],
      );
    },

    /** Deletes contents without a file. Returns how many it looked at. */
    async sweep(): Promise<number> {
      const due = await directory.query<{ sha256: Buffer; check_at: number }>(
        // Index: file_contents_check.
        'SELECT sha256, check_at FROM file_contents WHERE check_at <= ? ORDER BY check_at LIMIT ?',
        [Date.now(), contentsPerRound],
      );
      for (const { sha256, check_at } of due) await sweepOne(sha256, check_at);
      return due.length;
    },
  };
}
