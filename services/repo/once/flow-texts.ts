import { accountStatus } from '../../../lib/domain/enumerations.ts';
import { parseId } from '../../../lib/domain/ids.ts';
import { userNotFound } from '../../../lib/domain/refusals.ts';
import { GoChatError } from '../../../lib/errors.ts';
import type { FlowTexts, UserServiceService } from '../../../lib/gen/im_repo/v1/user.ts';
import type { UnaryHandlers } from '../../../lib/grpc/definition.ts';
import { userIdOf } from '../rows/conversation-access.ts';
import { formatSql, type Sql } from '../storage/database.ts';
import type { Databases } from '../storage/databases.ts';
import type { Ids } from '../storage/ids.ts';

type Handlers = Pick<UnaryHandlers<typeof UserServiceService>, 'keepFlowTexts'>;

/**
 * Stores user-written texts for a workflow, so that no workflow history contains them. The caller stores the texts
 * before it starts the flow and passes only their id. The step that stores the friend request or group reads them by
 * this id. They are deleted after eight days, a day after the history of a flow that ended at once, or with their user.
 */
export function createFlowTexts(deps: { databases: Databases; ids: Pick<Ids, 'nextId'> }): Handlers {
  const { databases, ids } = deps;
  return {
    async keepFlowTexts({ userId, texts }) {
      const id = ids.nextId();
      const user = userIdOf(userId);
      await databases.users.transaction(async (tx) => {
        // Closing an account takes the same lock, so no text is stored for an account that is being erased.
        const [row] = await tx.query(
          `SELECT 1 FROM users WHERE id = ? AND status = ${accountStatus.active} FOR UPDATE`,
          [user],
        );
        if (!row) throw userNotFound();
        await tx.execute('INSERT INTO flow_texts (id, user_id, texts, created_at) VALUES (?)', [
          [id, user, JSON.stringify(texts ?? {}), Date.now()],
        ]);
      });
      return { textsId: String(id) };
    },
  };
}

/** Reads the texts that a user stored under an id. Throws INVALID_ARGUMENT if they no longer exist. */
export async function readFlowTexts(sql: Sql, textsId: string, userId: number): Promise<Partial<FlowTexts>> {
  const [row] = await sql.query<{ texts: string }>(
    'SELECT texts FROM flow_texts WHERE id = ? AND user_id = ?',
    [parseId(textsId) ?? 0, userId],
  );
  if (!row) throw new GoChatError('INVALID_ARGUMENT', 'The texts of this request no longer exist.');
  return JSON.parse(row.texts);
}

/** Returns the statement that deletes all texts of a user. Index: flow_texts_user. */
export const deleteFlowTexts = (userId: number): string =>
  formatSql('DELETE FROM flow_texts WHERE user_id = ?', [userId]);
