import { parseId } from '../../../lib/domain/ids.ts';
import { limitOf } from '../../../lib/domain/limits.ts';
import { GoChatError } from '../../../lib/errors.ts';
import type { ReindexMessagesRequest, ReindexMessagesResponse } from '../../../lib/gen/im_repo/v1/search.ts';
import { conversationIdOf } from '../rows/conversation-access.ts';
import { type Databases, fromAll } from '../storage/databases.ts';
import type { Candidate, SearchEngine } from './engine.ts';

const messagesPerCall = { usual: 5000, most: 20_000 };
/** Bounds a call for conversations with few messages. */
const conversationsPerCall = 100;

type Head = { conversation_id: number; last_seq_id: number };

/**
 * Builds the index anew, block by block of each conversation, in the order of the conversations' ids. A call that is
 * repeated with the same cursor does the same again. Throws INVALID_ARGUMENT for an invalid cursor.
 */
export function createReindex(deps: { databases: Databases; engine: Pick<SearchEngine, 'rebuild'> }) {
  const { databases, engine } = deps;

  /** The heads of the next conversations that have messages. */
  async function readHeads(from: number, only: number | undefined): Promise<Head[]> {
    const condition = only === undefined ? '' : ` AND conversation_id = ${only}`;
    const heads = await fromAll(databases.shards, (shard) =>
      shard.query<Head>(
        // Index: the primary key.
        `SELECT conversation_id, last_seq_id FROM conversation_heads
         WHERE conversation_id >= ? AND last_seq_id > 0${condition} ORDER BY conversation_id LIMIT ?`,
        [from, conversationsPerCall + 1],
      ),
    );
    // Each database has a row of the world room; messages are in one only.
    return heads.sort((a, b) => a.conversation_id - b.conversation_id).slice(0, conversationsPerCall + 1);
  }

  return async (request: ReindexMessagesRequest): Promise<ReindexMessagesResponse> => {
    const from = readCursor(request.cursor);
    const only = request.conversationId === undefined ? undefined : conversationIdOf(request.conversationId);
    const limit = limitOf(request.limit, messagesPerCall);
    const heads = await readHeads(from.conversationId, only);
    let indexed = 0;
    let conversations = 0;
    for (const { conversation_id: conversationId, last_seq_id: lastSeqId } of heads.slice(
      0,
      conversationsPerCall,
    )) {
      let seqId = conversationId === from.conversationId ? from.seqId : 1;
      while (seqId <= lastSeqId) {
        if (indexed >= limit)
          return { indexed, conversations, nextCursor: writeCursor({ conversationId, seqId }) };
        const rebuilt = await engine.rebuild({ conversationId, seqId });
        // A block without messages costs something, too.
        indexed += Math.max(1, rebuilt.indexed);
        seqId = rebuilt.nextSeqId;
      }
      conversations += 1;
    }
    const next = heads[conversationsPerCall];
    const nextCursor = next ? writeCursor({ conversationId: next.conversation_id, seqId: 1 }) : '';
    return { indexed, conversations, nextCursor };
  };
}

const writeCursor = ({ conversationId, seqId }: Candidate): string => `${conversationId}:${seqId}`;

function readCursor(cursor: string): Candidate {
  if (cursor === '') return { conversationId: 0, seqId: 1 };
  const [, conversation = '', seq = ''] = /^(\d{1,16}):(\d{1,16})$/.exec(cursor) ?? [];
  const conversationId = parseId(conversation);
  const seqId = parseId(seq);
  if (conversationId === undefined || seqId === undefined)
    throw new GoChatError('INVALID_ARGUMENT', 'The cursor is invalid.');
  return { conversationId, seqId };
}
