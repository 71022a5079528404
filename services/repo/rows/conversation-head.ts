import { type Cache, cacheKey, cacheKind } from '../cache/cache.ts';
import type { Database, ReadToken } from '../storage/database.ts';
import { type Databases, fromShardsOf, type Lost } from '../storage/databases.ts';
import { queryWithToken } from '../storage/replicas.ts';
import { fromMessageRow, type MessageRow, messageColumns, type StoredMessage } from './message-rows.ts';

/**
 * The part of a conversation that every message changes. Readers combine it with the cached lists, so that a message
 * invalidates only one key.
 */
export type ConversationHead = {
  lastSeqId: number;
  lastMessageId: number;
  /** The number of the last change of a message. */
  lastChangeSeq: number;
  /** The time of the last change or the last message, whichever is later, in Unix milliseconds. */
  updatedAt: number;
  lastMessage?: StoredMessage;
  /** A replica that has it has all of the conversation that this head shows. Missing without replicas. */
  token?: ReadToken;
};

export const conversationHead = cacheKind<ConversationHead>('conversation:head', 30 * 60_000);
export const headKey = (conversationId: string): string => cacheKey(conversationHead, conversationId);

/** Reads the heads of conversations, through the cache. With `lost`, those of databases that do not answer are left out. */
export function readHeads(
  deps: { cache: Pick<Cache, 'read'>; databases: Databases },
  conversationIds: readonly string[],
  lost?: Lost,
): Promise<Map<string, ConversationHead>> {
  return deps.cache.read(conversationHead, conversationIds, async (missing) => {
    type Row = Partial<MessageRow> & {
      conversation: number;
      last_seq_id: number;
      last_message_id: number | null;
      last_change_seq: number;
      updated_at: number;
      token?: ReadToken;
    };
    const read = async (shard: Database, ids: number[]) => {
      const { rows, token } = await queryWithToken<Row>(
        shard,
        `SELECT h.conversation_id AS conversation, h.last_seq_id, h.last_message_id, h.last_change_seq, c.updated_at, ${messageColumns('m')}
       FROM conversation_heads h
       JOIN conversations c ON c.id = h.conversation_id
       LEFT JOIN messages m ON m.conversation_id = h.conversation_id AND m.seq_id = h.last_seq_id
       WHERE h.conversation_id IN (?)`,
        [ids],
      );
      return token === undefined ? rows : rows.map((row) => ({ ...row, token }));
    };
    const rows = await fromShardsOf(deps.databases, missing.map(Number), read, lost);
    return new Map(
      rows.map((row) => [
        String(row.conversation),
        {
          lastSeqId: row.last_seq_id,
          lastMessageId: row.last_message_id ?? 0,
          lastChangeSeq: row.last_change_seq,
          updatedAt: row.updated_at,
          ...(row.id == null ? {} : { lastMessage: fromMessageRow(row as MessageRow) }),
          ...(row.token === undefined ? {} : { token: row.token }),
        },
      ]),
    );
  });
}
