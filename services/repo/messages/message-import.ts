import { hash } from 'node:crypto';
import type { FileId } from '../../../lib/domain/addresses.ts';
import { attachedTo } from '../../../lib/domain/attachment.ts';
import { conversationStatus } from '../../../lib/domain/enumerations.ts';
import { parseId } from '../../../lib/domain/ids.ts';
import { bodyOf, bodyRefusal, type MessageBody } from '../../../lib/domain/message-body.ts';
import { conversationNotFound, invalid, userNotFound } from '../../../lib/domain/refusals.ts';
import { GoChatError } from '../../../lib/errors.ts';
import type {
  ImportedMessage,
  ImportMessagesRequest,
  ImportMessagesResponse,
  SavedMessage,
} from '../../../lib/gen/im_repo/v1/message.ts';
import type { Cache } from '../cache/cache.ts';
import type { ColdMessages } from '../cold/cold-messages.ts';
import { type FileAccess, unreadable } from '../files/file-access.ts';
import { insertReferences } from '../files/file-references.ts';
import { insertEvents, type Outbox, storedEvents } from '../outbox/outbox.ts';
import { conversationIdOf } from '../rows/conversation-access.ts';
import { headKey } from '../rows/conversation-head.ts';
import { messageExtra } from '../rows/message-rows.ts';
import { unreadKey } from '../rows/read-pointer-cache.ts';
import type { UserCards } from '../rows/user-cards.ts';
import { databaseTime } from '../storage/change-time.ts';
import { formatSql, type SqlValue, type Transaction } from '../storage/database.ts';
import type { Databases } from '../storage/databases.ts';
import type { Ids } from '../storage/ids.ts';
import { rowsTable } from '../storage/sql.ts';
import { saved } from './message-plan.ts';

export type MessageImportDeps = {
  databases: Databases;
  cache: Cache;
  cold: Pick<ColdMessages, 'betweenTimes'>;
  userCards: UserCards;
  access: FileAccess;
  ids: Pick<Ids, 'nextId'>;
  outbox: Outbox;
};

const maxMessages = 1000;
const maxSourceLength = 1000;
/** The source_partition of imported messages, which come from no upstream record. */
const importedPartition = -2;

type Draft = { senderId: number; body: MessageBody; files: readonly FileId[]; createdAt: number };
type Stored = { draft: number; id: number; seq_id: number; created_at: number };
type Head = {
  last_seq_id: number;
  status: number | null;
  /** Of the last message; NULL if there is none. */
  source_partition: number | null;
  created_at: number | null;
};

/**
 * Stores messages from another system, with their senders and times. Senders need not be members. The conversation must
 * hold imported messages only: a message from a client would come after messages that are older than it, and an import
 * would put new messages before what members have read. Nobody is told, and a conversation in fan-out mode counts the
 * messages as fanned out. Other systems learn of them from gochat.messages.stored. A call stores all its messages or
 * none.
 */
export function createMessageImport(deps: MessageImportDeps) {
  const { databases, cache, cold, userCards, access, ids, outbox } = deps;

  async function requireSenders(drafts: readonly Draft[]): Promise<void> {
    const senderIds = new Set(drafts.map(({ senderId }) => String(senderId)));
    const cards = await userCards.byIds(senderIds);
    if (cards.size < senderIds.size) throw userNotFound();
  }

  async function requireReadableFiles(drafts: readonly Draft[]): Promise<void> {
    const wanted = drafts.flatMap(({ senderId, files }, index) =>
      files.map((file) => ({ index, userId: senderId, file })),
    );
    const unread = (await access.readable(wanted)).indexOf(false);
    if (unread >= 0) throw unreadable(`messages.${wanted[unread]?.index}.content.url`);
  }

  /** Imported messages that were archived, by `nameOf`: they are as old as they were in the other system. */
  async function readArchived(conversationId: number, drafts: readonly Draft[]) {
    const times = drafts.map(({ createdAt }) => createdAt);
    const rows = await cold.betweenTimes(conversationId, Math.min(...times), Math.max(...times));
    return new Map(rows.map((row) => [`${row.sender_id} ${row.client_msg_id}`, row]));
  }

  return async (request: ImportMessagesRequest): Promise<ImportMessagesResponse> => {
    const conversationId = conversationIdOf(request.conversationId);
    const drafts = readDrafts(request);
    if (drafts.length === 0) return { results: [] };
    await requireSenders(drafts);
    await requireReadableFiles(drafts);
    const archived = await readArchived(conversationId, drafts);
    const answer = await cache.change(async (touch) => {
      await touch([
        headKey(request.conversationId),
        ...drafts.map(({ senderId }) => unreadKey(String(senderId))),
      ]);
      return databases.messagesOf(request.conversationId).transaction(async (tx) => {
        const { head, stored } = await readState(tx, conversationId, drafts);
        const results: SavedMessage[] = [];
        const fresh: (Draft & { id: number; seqId: number })[] = [];
        let lastAt = head.created_at ?? 0;
        drafts.forEach((draft, index) => {
          const known = stored.get(index) ?? archived.get(nameOf(draft));
          if (known) {
            results.push(saved(known.id, known.seq_id, known.created_at, true));
            return;
          }
          if (draft.createdAt < lastAt)
            throw invalid(`messages.${index}.createdAt`, 'must not be before that of an earlier message');
          const seqId = head.last_seq_id + fresh.length + 1;
          const { replyToSeqId } = draft.body;
          if (replyToSeqId !== undefined && replyToSeqId >= seqId)
            throw invalid(`messages.${index}.replyToSeqId`, 'must name an earlier message');
          lastAt = draft.createdAt;
          const row = { ...draft, id: ids.nextId(), seqId };
          fresh.push(row);
          results.push(saved(row.id, seqId, row.createdAt, false));
        });
        if (fresh.length > 0) await tx.batchAndCommit(writeStatements(conversationId, fresh));
        return { results };
      });
    });
    outbox.wake();
    return answer;
  };
}

const nameOf = ({ senderId, body }: Draft): string => `${senderId} ${body.clientMsgId}`;

function readDrafts({ source, messages }: ImportMessagesRequest): Draft[] {
  if (messages.length > maxMessages) throw invalid('messages', `must have at most ${maxMessages} entries`);
  if (!isName(source)) throw invalid('source', nameRule);
  const names = new Set(messages.map(({ sourceId }) => sourceId));
  if (names.size < messages.length) throw invalid('messages', 'must not name a sourceId twice');
  const now = Date.now();
  return messages.map((message, index) => readDraft(message, source, `messages.${index}`, now));
}

function readDraft(message: ImportedMessage, source: string, path: string, now: number): Draft {
  const { sourceId, createdAt } = message;
  if (!isName(sourceId)) throw invalid(`${path}.sourceId`, nameRule);
  const senderId = parseId(message.senderId);
  if (senderId === undefined) throw userNotFound();
  // A time counts as valid within a minute of this clock, since the caller's may be ahead.
  if (!Number.isSafeInteger(createdAt) || createdAt < 0 || createdAt > now + 60_000)
    throw invalid(`${path}.createdAt`, 'must be a time in Unix milliseconds that is not in the future');
  const body = bodyOf({ ...message, clientMsgId: clientMsgIdOf(source, sourceId) });
  const refusal = bodyRefusal(body);
  if (refusal) throw refusal;
  const attached = attachedTo(body.messageType, body.content);
  if (!attached) return { senderId, body, files: [], createdAt };
  return { senderId, body: { ...body, content: attached.content }, files: attached.files, createdAt };
}

const isName = (text: string): boolean =>
  text !== '' && text.length <= maxSourceLength && text.isWellFormed();
const nameRule = `must be 1 to ${maxSourceLength} characters`;

/** The same for every call, so that the unique key of a sender's messages finds what is stored already. */
const clientMsgIdOf = (source: string, sourceId: string): string =>
  `import:${hash('sha256', JSON.stringify([source, sourceId]), 'base64url')}`;

/** Locks the head, and reads its last message and which drafts are stored. */
async function readState(
  tx: Transaction,
  conversationId: number,
  drafts: readonly Draft[],
): Promise<{ head: Head; stored: Map<number, Stored> }> {
  const keys = drafts.map(({ senderId, body }, index) => [index, senderId, Buffer.from(body.clientMsgId)]);
  const [, heads, stored] = (await tx.batch(
    [
      `SELECT 1 FROM conversation_heads WHERE conversation_id = ${conversationId} FOR UPDATE`,
      `SELECT h.last_seq_id, c.status, m.source_partition, m.created_at
       FROM conversation_heads h
       LEFT JOIN conversations c ON c.id = h.conversation_id
       LEFT JOIN messages m ON m.conversation_id = h.conversation_id AND m.seq_id = h.last_seq_id
       WHERE h.conversation_id = ${conversationId}`,
      // Index: messages_client_msg_id.
      `SELECT k.n AS draft, m.id, m.seq_id, m.created_at
       FROM ${rowsTable(['n', 's', 'i'], keys)} k
       STRAIGHT_JOIN messages m
         ON m.conversation_id = ${conversationId} AND m.sender_id = k.s AND m.client_msg_id = k.i`,
    ].join(';\n'),
  )) as [unknown[], Head[], Stored[]];
  const [head] = heads;
  const { active, creating } = conversationStatus;
  if (!head || (head.status !== active && head.status !== creating)) throw conversationNotFound();
  if (head.source_partition !== null && head.source_partition !== importedPartition) {
    throw new GoChatError(
      'PERMISSION_DENIED',
      'Messages can be imported only into a conversation without messages from elsewhere.',
    );
  }
  return { head, stored: new Map(stored.map((row) => [row.draft, row])) };
}

/** The read pointers of the senders also name their conversations, for erasure. */
function writeStatements(
  conversationId: number,
  rows: readonly (Draft & { id: number; seqId: number })[],
): string {
  const last = rows.at(-1);
  if (!last) throw new Error('an import without messages writes nothing');
  const read = [...new Map(rows.map(({ senderId, seqId }) => [senderId, seqId]))].sort(([a], [b]) => a - b);
  return [
    formatSql(
      `INSERT INTO messages (conversation_id, seq_id, id, sender_id, message_type, content, client_msg_id,
         source_partition, source_offset, extra, created_at) VALUES ?`,
      [
        rows.map(({ id, seqId, senderId, body, createdAt }): SqlValue[] => [
          conversationId,
          seqId,
          id,
          senderId,
          body.messageType,
          body.content,
          Buffer.from(body.clientMsgId),
          importedPartition,
          -1,
          messageExtra(body),
          createdAt,
        ]),
      ],
    ),
    `UPDATE conversation_heads SET last_seq_id = ${last.seqId}, last_message_id = ${last.id},
       fanout_done_seq = IF(fanout_mode, ${last.seqId}, fanout_done_seq) WHERE conversation_id = ${conversationId}`,
    `UPDATE conversations SET last_message_id = ${last.id}, updated_at = GREATEST(updated_at, ${last.createdAt})
     WHERE id = ${conversationId}`,
    ...insertReferences(
      rows.flatMap(({ seqId, files }) => files.map((file) => ({ conversationId, seqId, file }))),
    ),
    `INSERT INTO user_read_pointers (user_id, conversation_id, last_read_seq_id, updated_at)
     VALUES ${read.map(([senderId, seqId]) => `(${senderId},${conversationId},${seqId},${databaseTime})`)}
     ON DUPLICATE KEY UPDATE updated_at = VALUES(updated_at),
       last_read_seq_id = GREATEST(last_read_seq_id, VALUES(last_read_seq_id))`,
    insertEvents(storedEvents(rows.map(({ seqId }) => ({ conversationId: String(conversationId), seqId })))),
  ].join(';\n');
}
