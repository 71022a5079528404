import { accountStatus } from '../../../lib/domain/enumerations.ts';
import { parseId } from '../../../lib/domain/ids.ts';
import { userNotFound } from '../../../lib/domain/refusals.ts';
import { GoChatError } from '../../../lib/errors.ts';
import type { FlowTexts, UserServiceService } from '../../../lib/gen/im_repo/v1/user.ts';
import type { UnaryHandlers } from '../../../lib/grpc/definition.ts';
import { userIdOf } from '../rows/conversation-access.ts';
import { type Databases, formatSql, type Sql } from '../storage/database.ts';
import type { Ids } from '../storage/ids.ts';

type Handlers = Pick<UnaryHandlers<typeof UserServiceService>, 'keepFlowTexts'>;

/**
 * Texts on their way through a flow. Whoever starts it keeps them here first and names them by an id, and the step that
 * stores the request or the group takes them from here: so no history holds what people write. They go after eight days,
 * a day after the history of a flow that ended at once, and with their user.
 */
export function createFlowTexts(deps: { databases: Databases; ids: Pick<Ids, 'nextId'> }): Handlers {
  const { databases, ids } = deps;
  return {
    async keepFlowTexts({ userId, texts }) {
      const id = ids.nextId();
      const user = userIdOf(userId);
      await databases.users.transaction(async (tx) => {
        // Under the lock that closing the account takes, so that nothing is kept for one that is being erased.
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

/** What a user kept under an id. INVALID_ARGUMENT when it is there no more. */
export async function readFlowTexts(sql: Sql, textsId: string, userId: number): Promise<Partial<FlowTexts>> {
  const [row] = await sql.query<{ texts: string }>(
    'SELECT texts FROM flow_texts WHERE id = ? AND user_id = ?',
    [parseId(textsId) ?? 0, userId],
  );
  if (!row) throw new GoChatError('INVALID_ARGUMENT', 'The texts of this request are there no more.');
  return JSON.parse(row.texts);
}

/** A statement that drops all that a user kept. Index: flow_texts_user. */
export const deleteFlowTexts = (userId: number): string =>
  formatSql('DELETE FROM flow_texts WHERE user_id = ?', [userId]);
