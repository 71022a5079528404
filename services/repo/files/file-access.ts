import { type FileId, fileIdText, filePath, parseFilePath } from '../../../lib/domain/addresses.ts';
import { invalid } from '../../../lib/domain/refusals.ts';
import type { Databases } from '../storage/databases.ts';
import { pictureSeqId } from './file-references.ts';

/** Who may read which file, and what refers to it. */
export type FileAccess = ReturnType<typeof createFileAccess>;
type Wanted = { userId: number; file: FileId };

/** Both addresses under which a file may be somebody's picture. */
const pathsOf = (file: FileId): string[] => [
  filePath({ file, variant: 'file' }),
  filePath({ file, variant: 'thumbnail' }),
];

export function createFileAccess({ databases }: { databases: Databases }) {
  async function isPictureOfOwner(file: FileId): Promise<boolean> {
    const rows = await databases.users.query('SELECT 1 FROM users WHERE id = ? AND avatar_url IN (?)', [
      file.ownerId,
      pathsOf(file),
    ]);
    return rows.length > 0;
  }

  async function inAnyShard(sql: string, values: (userId: number, file: FileId) => number[], wanted: Wanted) {
    const found = await Promise.all(
      databases.shards.map((shard) => shard.query(sql, values(wanted.userId, wanted.file))),
    );
    return found.some((rows) => rows.length > 0);
  }

  /** True if a user may read a file that exists. */
  async function mayRead(userId: number, file: FileId): Promise<boolean> {
    if (userId === file.ownerId || (await isPictureOfOwner(file))) return true;
    return inAnyShard(
      // Indexes: file_references_file, the primary key of conversation_members.
      `SELECT 1 FROM file_references r
       LEFT JOIN conversation_members m ON m.conversation_id = r.conversation_id AND m.user_id = ?
       WHERE r.file_id = ? AND r.owner_id = ? AND (r.seq_id = ${pictureSeqId} OR m.user_id IS NOT NULL) LIMIT 1`,
      (reader, { ownerId, number }) => [reader, number, ownerId],
      { userId, file },
    );
  }

  async function existing(files: readonly FileId[]): Promise<Set<string>> {
    const rows = await databases.users.query<{ owner_id: number; id: number }>(
      // Index: the primary key of files.
      'SELECT owner_id, id FROM files WHERE (owner_id, id) IN (?) AND NOT deleting',
      [files.map(({ ownerId, number }) => [ownerId, number])],
    );
    return new Set(rows.map(({ owner_id, id }) => fileIdText({ ownerId: owner_id, number: id })));
  }

  return {
    mayRead,

    /** True for each user who may read a file, in order. False for a file that does not exist. */
    async readable(wanted: readonly Wanted[]): Promise<boolean[]> {
      if (wanted.length === 0) return [];
      const found = await existing(wanted.map(({ file }) => file));
      const answers: boolean[] = [];
      for (const { userId, file } of wanted) {
        answers.push(found.has(fileIdText(file)) && (await mayRead(userId, file)));
      }
      return answers;
    },

    /** True if a message, a conversation or the file's owner shows the file. */
    async isReferenced(file: FileId): Promise<boolean> {
      if (await isPictureOfOwner(file)) return true;
      return inAnyShard(
        // Index: file_references_file.
        'SELECT 1 FROM file_references WHERE file_id = ? AND owner_id = ? LIMIT 1',
        (_, { ownerId, number }) => [number, ownerId],
        { userId: 0, file },
      );
    },
  };
}

/** Throws INVALID_ARGUMENT if a picture is an uploaded file that the user may not read. */
export async function requireReadablePicture(
  access: FileAccess,
  userId: number,
  address: string,
): Promise<void> {
  const file = parseFilePath(address)?.file;
  if (!file) return;
  const [isReadable] = await access.readable([{ userId, file }]);
  if (!isReadable) throw unreadable('avatarUrl');
}

/** The refusal of a file that does not exist, or that the user may not read. */
export const unreadable = (path: string) => invalid(path, 'must be the address of a file that you may read');
