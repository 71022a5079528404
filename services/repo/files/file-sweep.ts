import { createSingleFlight } from '../../../lib/async/single-flight.ts';
import type { Logger } from '../../../lib/log.ts';
import type { Metrics } from '../../../lib/metrics.ts';
import type { Databases } from '../storage/databases.ts';
import type { FileAccess } from './file-access.ts';
import type { FileContents } from './file-contents.ts';
import type { ReleaseFile } from './file-release.ts';
import { deleteFile, type FileRow, fileIdOf } from './file-rows.ts';

const intervalMs = 60_000;
const filesPerRound = 500;

export type FileSweep = { sweep(): Promise<void>; stop(): Promise<void> };

/**
 * Looks every minute at the files and contents whose time to be checked has come. A file that nothing refers to is hidden
 * first and deleted in a later round, so that a message that is being stored meanwhile finds it. Several processes may do
 * so at once.
 */
export function startFileSweep(deps: {
  databases: Databases;
  access: FileAccess;
  contents: FileContents;
  releaseFile: ReleaseFile;
  log: Logger;
  metrics: Metrics;
}): FileSweep {
  const { databases, access, contents, log } = deps;
  const deleted = deps.metrics.counter(
    'gochat_files_deleted_total',
    'Files deleted since nothing referred to them.',
  );
  let stopping = false;

  const due = (condition: string) =>
    databases.users.query<FileRow>(
      // Index: files_check.
      `SELECT owner_id, id, size, sha256, thumbnail_sha256 FROM files
       WHERE check_at <= ? AND ${condition} ORDER BY check_at LIMIT ?`,
      [Date.now(), filesPerRound],
    );

  async function checkFile(row: FileRow): Promise<void> {
    if (!(await access.isReferenced(fileIdOf(row)))) return deps.releaseFile(fileIdOf(row));
    await databases.users.execute(
      'UPDATE files SET check_at = NULL WHERE owner_id = ? AND id = ? AND check_at <= ? AND NOT deleting',
      [row.owner_id, row.id, Date.now()],
    );
  }

  async function deleteHidden(row: FileRow): Promise<void> {
    if (await access.isReferenced(fileIdOf(row))) {
      await databases.users.execute(
        'UPDATE files SET deleting = FALSE, check_at = NULL WHERE owner_id = ? AND id = ?',
        [row.owner_id, row.id],
      );
      return;
    }
    await contents.release(row.thumbnail_sha256 ? [row.sha256, row.thumbnail_sha256] : [row.sha256]);
    await deleteFile(databases, row);
    deleted.inc();
  }

  async function sweep(): Promise<void> {
    for (const row of await due('deleting')) if (!stopping) await deleteHidden(row);
    for (const row of await due('NOT deleting')) if (!stopping) await checkFile(row);
    if (!stopping) await contents.sweep();
  }

  const rounds = createSingleFlight(() =>
    sweep().catch((error: unknown) => log.warn({ err: error }, 'cannot look for files to delete')),
  );
  const timer = setInterval(rounds.run, intervalMs).unref();

  return {
    sweep,
    async stop() {
      stopping = true;
      clearInterval(timer);
      await rounds.inFlight();
    },
  };
}
