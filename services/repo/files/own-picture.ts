import { parseFilePath } from '../../../lib/domain/addresses.ts';
import { invalid } from '../../../lib/domain/refusals.ts';
import type { Sql } from '../storage/database.ts';
import { checkFileAt, unusedMs } from './file-rows.ts';

/**
 * Before a user's picture changes, in the same transaction: a file as the new picture must be one that the user uploaded,
 * so that the picture and the file lie together. The sweep will look at the file of the old picture.
 */
export async function changeOwnPicture(tx: Sql, userId: number, avatarUrl: string): Promise<void> {
  const [user] = await tx.query<{ avatar_url: string }>(
    'SELECT avatar_url FROM users WHERE id = ? FOR UPDATE',
    [userId],
  );
  if (!user || user.avatar_url === avatarUrl) return;
  const next = parseFilePath(avatarUrl)?.file;
  if (next) {
    const rows =
      next.ownerId === userId
        ? await tx.query('SELECT 1 FROM files WHERE owner_id = ? AND id = ? AND NOT deleting FOR UPDATE', [
            userId,
            next.number,
          ])
        : [];
    if (rows.length === 0) throw invalid('avatarUrl', 'must be the address of a file that you uploaded');
  }
  const old = parseFilePath(user.avatar_url)?.file;
  if (old) await checkFileAt(tx, old, Date.now() + unusedMs);
}
