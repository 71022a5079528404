import { type FileId, parseFileId } from '../../../lib/domain/addresses.ts';
import type { WriteProjection } from '../projections/projections.ts';
import type { Databases } from '../storage/databases.ts';
import type { FileAccess } from './file-access.ts';
import { fileRecalled, fileUnused } from './file-references.ts';
import { checkFileAt, unusedMs } from './file-rows.ts';

/**
 * How long a file that nothing refers to waits before it is deleted. A message that was checked before may still be
 * stored meanwhile; the file then stays.
 */
export const graceMs = 60_000;

/** Hides a file unless something refers to it: nobody reads it any more, and no new message may refer to it. */
export type ReleaseFile = (file: FileId) => Promise<void>;

export const createReleaseFile =
  ({ databases, access }: { databases: Databases; access: FileAccess }): ReleaseFile =>
  async (file) => {
    if (await access.isReferenced(file)) return;
    await databases.users.execute(
      'UPDATE files SET deleting = TRUE, check_at = ? WHERE owner_id = ? AND id = ? AND NOT deleting',
      [Date.now() + graceMs, file.ownerId, file.number],
    );
  };

/** The writers of the projections by which a file learns that something stopped referring to it. */
export const fileProjections = (
  { users }: Pick<Databases, 'users'>,
  releaseFile: ReleaseFile,
): Record<string, WriteProjection> => ({
  [fileRecalled]: ofFile(releaseFile),
  // The one who uploaded it may use it again.
  [fileUnused]: ofFile((file) => checkFileAt(users, file, Date.now() + unusedMs)),
});

const ofFile =
  (write: (file: FileId) => Promise<void>): WriteProjection =>
  async (subject) => {
    const file = parseFileId(subject);
    if (file) await write(file);
  };
