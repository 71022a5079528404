import { fanoutMode } from '../../../lib/domain/enumerations.ts';
import { parseId } from '../../../lib/domain/ids.ts';
import { conversationNotFound } from '../../../lib/domain/refusals.ts';
import { GoChatError } from '../../../lib/errors.ts';
import type {
  GetFanoutProgressRequest,
  GetFanoutProgressResponse,
  ResolveMemberPageRequest,
  ResolveMemberPageResponse,
  SetFanoutDoneRequest,
  SetFanoutDoneResponse,
} from '../../../lib/gen/im_repo/v1/conversation.ts';
import { unavailable } from '../connections/database-errors.ts';
import { conversationIdOf } from '../rows/conversation-access.ts';
import type { Database } from '../storage/database.ts';
import { type Databases, fromShardsOf, noteLost } from '../storage/databases.ts';
import type { ResolveRecipients } from './recipients.ts';

export type FanoutProgressDeps = { databases: Databases; recipients: ResolveRecipients };

const maxPage = 5000;

type ProgressRow = {
  id: number;
  type: number;
  last_seq_id: number;
  fanout_done_seq: number;
  fanout_mode: number;
  member_count: number;
};

/** Serves the fan-out flow: it reads and stores the progress of conversations and resolves their members. */
export function createFanoutProgress({ databases, recipients }: FanoutProgressDeps) {
  return {
    /**
     * Returns the heads and the progress of those conversations that exist. While a database does not answer, those of
     * other databases; UNAVAILABLE if there are none.
     */
    async getFanoutProgress(request: GetFanoutProgressRequest): Promise<GetFanoutProgressResponse> {
      const ids = request.conversationIds.map(parseId).filter((id) => id !== undefined);
      const lost = noteLost(databases);
      const read = (shard: Database, some: number[]) =>
        shard.query<ProgressRow>(
          `SELECT c.id, c.type, h.last_seq_id, h.fanout_done_seq, h.fanout_mode, c.member_count
           FROM conversations c JOIN conversation_heads h ON h.conversation_id = c.id
           WHERE c.id IN (?)`,
          [some],
        );
      const rows = await fromShardsOf(databases, ids, read, lost);
      if (rows.length === 0 && lost?.size) throw unavailable();
      return {
        progress: rows.map((row) => ({
          conversationId: String(row.id),
          type: row.type,
          lastSeqId: row.last_seq_id,
          fanoutDoneSeq: row.fanout_done_seq,
          fanoutMode: row.fanout_mode === fanoutMode.on,
          memberCount: row.member_count,
        })),
      };
    },

    /** Stores how far the fan-out has come. The progress never moves back and never beyond the head. */
    setFanoutDone({ conversationId, doneSeqId }: SetFanoutDoneRequest): Promise<SetFanoutDoneResponse> {
      const id = conversationIdOf(conversationId);
      return databases.messagesOf(conversationId).transaction(async (tx) => {
        const [head] = await tx.query<{ last_seq_id: number; fanout_done_seq: number }>(
          'SELECT last_seq_id, fanout_done_seq FROM conversation_heads WHERE conversation_id = ? FOR UPDATE',
          [id],
        );
        if (!head) throw conversationNotFound();
        const done = Math.max(head.fanout_done_seq, Math.min(doneSeqId, head.last_seq_id));
        if (done !== head.fanout_done_seq) {
          await tx.execute('UPDATE conversation_heads SET fanout_done_seq = ? WHERE conversation_id = ?', [
            done,
            id,
          ]);
        }
        return { fanoutDoneSeq: done, lastSeqId: head.last_seq_id };
      });
    },

    /** Returns a page of members in the order of their ids, grouped by the gateways that may have their sessions. */
    async resolveMemberPage(request: ResolveMemberPageRequest): Promise<ResolveMemberPageResponse> {
      const conversationId = String(conversationIdOf(request.conversationId));
      const afterUserId = request.afterUserId === '' ? 0 : parseId(request.afterUserId);
      if (afterUserId === undefined || request.limit < 0 || request.limit > maxPage) {
        throw new GoChatError('INVALID_ARGUMENT', 'The page of members is not valid.');
      }
      const limit = request.limit === 0 ? maxPage : request.limit;
      return recipients.ofPage({ conversationId, afterUserId, limit });
    },
  };
}
