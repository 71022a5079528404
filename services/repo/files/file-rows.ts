import type { FileAddress, FileId } from '../../../lib/domain/addresses.ts';
import { fileIdText } from '../../../lib/domain/addresses.ts';
import { accountStatus } from '../../../lib/domain/enumerations.ts';
import { userNotFound } from '../../../lib/domain/refusals.ts';
import { GoChatError } from '../../../lib/errors.ts';
import type { UploadedFile } from '../../../lib/gen/im_repo/v1/file.ts';
import type { FileLinks } from '../file-links/file-links.ts';
import { thumbnailMime } from '../images/images.ts';
import { formatSql, type Sql } from '../storage/database.ts';
import type { Databases } from '../storage/databases.ts';

/** How long a file may have nothing that refers to it. */
export const unusedMs = 24 * 3_600_000;

export type FileRow = {
  owner_id: number;
  id: number;
  name: string;
  mime: string;
  size: number;
  sha256: Buffer;
  width: number | null;
  height: number | null;
  thumbnail_sha256: Buffer | null;
  thumbnail_size: number | null;
};

const columns =
  'owner_id, id, name, mime, size, sha256, width, height, thumbnail_sha256, thumbnail_size' as const;

export const fileIdOf = ({ owner_id, id }: Pick<FileRow, 'owner_id' | 'id'>): FileId => ({
  ownerId: owner_id,
  number: id,
});

export const quotaExceeded = (quotaBytes: number) =>
  new GoChatError(
    'QUOTA_EXCEEDED',
    `Your files have at most ${quotaBytes.toLocaleString('en-US')} bytes together.`,
  );

/** A file that nothing refers to any more, and that is about to go, counts as gone. */
export async function readFileRow(
  { users }: Pick<Databases, 'users'>,
  { ownerId, number }: FileId,
): Promise<FileRow | undefined> {
  const [row] = await users.query<FileRow>(
    `SELECT ${columns} FROM files WHERE owner_id = ? AND id = ? AND NOT deleting`,
    [ownerId, number],
  );
  return row;
}

export async function usedBytes({ users }: Databases, userId: number): Promise<number> {
  const [row] = await users.query<{ bytes: number }>('SELECT bytes FROM file_usage WHERE user_id = ?', [
    userId,
  ]);
  return row?.bytes ?? 0;
}

/** Stores the row of a file, unless its owner's quota is exceeded by it or the account is closed. */
export async function insertFile({ users }: Databases, row: FileRow, quotaBytes: number): Promise<void> {
  await users.transaction(async (tx) => {
    // The lock keeps the account from being closed meanwhile, which looks for its files afterwards.
    const [user] = await tx.query<{ status: number }>('SELECT status FROM users WHERE id = ? FOR UPDATE', [
      row.owner_id,
    ]);
    if (user?.status !== accountStatus.active) throw userNotFound();
    await tx.execute(
      'INSERT INTO file_usage (user_id, bytes) VALUES (?, ?) ON DUPLICATE KEY UPDATE bytes = bytes + VALUES(bytes)',
      [row.owner_id, row.size],
    );
    const [usage] = await tx.query<{ bytes: number }>('SELECT bytes FROM file_usage WHERE user_id = ?', [
      row.owner_id,
    ]);
    if (quotaBytes > 0 && (usage?.bytes ?? 0) > quotaBytes) throw quotaExceeded(quotaBytes);
    const now = Date.now();
    await tx.execute(`INSERT INTO files (${columns}, created_at, check_at) VALUES (?)`, [
      [
        row.owner_id,
        row.id,
        row.name,
        row.mime,
        row.size,
        row.sha256,
        row.width,
        row.height,
        row.thumbnail_sha256,
        row.thumbnail_size,
        now,
        now + unusedMs,
      ],
    ]);
  });
}

/** Deletes the row of a file, and takes its bytes off the usage of its owner. */
export async function deleteFile({ users }: Databases, { owner_id, id, size }: FileRow): Promise<void> {
  await users.transaction(async (tx) => {
    const { affectedRows } = await tx.execute(
      'DELETE FROM files WHERE owner_id = ? AND id = ? AND deleting',
      [owner_id, id],
    );
    if (affectedRows === 0) return;
    await tx.execute('UPDATE file_usage SET bytes = bytes - ? WHERE user_id = ?', [size, owner_id]);
    await tx.execute('DELETE FROM file_usage WHERE user_id = ? AND bytes <= 0', [owner_id]);
  });
}

/** Lets the sweep look at a file that may have lost what referred to it. */
export async function checkFileAt(sql: Sql, { ownerId, number }: FileId, checkAt: number): Promise<void> {
  await sql.execute('UPDATE files SET check_at = ? WHERE owner_id = ? AND id = ? AND NOT deleting', [
    checkAt,
    ownerId,
    number,
  ]);
}

/** Lets the sweep look at all files of a user. */
export const checkFilesOf = (userId: number, checkAt: number): string =>
  formatSql('UPDATE files SET check_at = ? WHERE owner_id = ? AND NOT deleting', [checkAt, userId]);

/** What a reader of a file's address gets. Undefined for the thumbnail of a file that has none. */
export function contentOf(
  row: FileRow,
  { variant }: FileAddress,
): { sha256: Buffer; size: number; mime: string } | undefined {
  if (variant === 'file') return row;
  if (!row.thumbnail_sha256) return undefined;
  return { sha256: row.thumbnail_sha256, size: row.thumbnail_size ?? 0, mime: thumbnailMime };
}

export function toUploadedFile(row: FileRow, links: FileLinks): UploadedFile {
  const file = fileIdOf(row);
  return {
    id: fileIdText(file),
    url: links.url({ file, variant: 'file' }),
    name: row.name,
    size: row.size,
    mime: row.mime,
    width: row.width ?? undefined,
    height: row.height ?? undefined,
    thumbnailUrl: row.thumbnail_sha256 ? links.url({ file, variant: 'thumbnail' }) : undefined,
  };
}
