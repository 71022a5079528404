// Room: changes of stored messages: edits, recalls, pins and reactions, each with its number and its event. Storing and
// reading messages may not come in.

import type { FileId } from '../../../lib/domain/addresses.ts';
import { attachedTo } from '../../../lib/domain/attachment.ts';
import { conversationStatus } from '../../../lib/domain/enumerations.ts';
import { conversationNotFound, messageNotFound } from '../../../lib/domain/refusals.ts';
import { GoChatError } from '../../../lib/errors.ts';
import type { Message } from '../../../lib/gen/im_repo/v1/message.ts';
import { toMessageFacts } from '../../../lib/records/message-facts.ts';
import type { ReactedFacts } from '../../../lib/records/records.ts';
import type { Cache } from '../cache/cache.ts';
import type { ArchivedMessage } from '../cold/archived-message.ts';
import type { ColdMessages } from '../cold/cold-messages.ts';
import { noteColdChanges, restoreRows } from '../cold/cold-segments.ts';
import type { FileLinks } from '../file-links/file-links.ts';
import { deleteReferences, fileRecalled, insertReferences } from '../files/file-references.ts';
import type { ReleaseFile } from '../files/file-release.ts';
import { insertEvents, type Outbox, type OutboxEvent, orderedEvent } from '../outbox/outbox.ts';
import { conversationIdOf, notMember, userIdOf } from '../rows/conversation-access.ts';
import { headKey } from '../rows/conversation-head.ts';
import { changesKey, storeChanges } from '../rows/message-changes.ts';
import {
  fromMessageRow,
  type MessageRow,
  messageColumns,
  type StoredMessage,
  toMessage,
} from '../rows/message-rows.ts';
import type { UserCards } from '../rows/user-cards.ts';
import type { SearchEngine } from '../search/engine.ts';
import { searchedText } from '../search/searched-text.ts';
import { formatSql, type Sql, type Transaction } from '../storage/database.ts';
import type { Databases } from '../storage/databases.ts';
import { isTrue } from '../storage/sql.ts';
import type { WriteGate, Writer } from './write-access.ts';

export type MessageChangeDeps = {
  databases: Databases;
  cache: Cache;
  cold: Pick<ColdMessages, 'byId'>;
  outbox: Outbox;
  userCards: UserCards;
  searchIndex: Pick<SearchEngine, 'change'>;
  links: FileLinks;
  releaseFile: ReleaseFile;
};

/** Who wants to change which message. An empty actor stands for the operators. */
export type Asked = { actorId: string; conversationId: string; messageId: number };

/** What is known under the lock of the conversation's head. */
export type ChangeState = {
  conversationId: number;
  actorId: number;
  conversation: WriteGate;
  /** Undefined only for operators. */
  member: Writer | undefined;
  message: StoredMessage;
  /** False while the message is still on its way to the members of a conversation in fan-out mode. */
  delivered: boolean;
  /** For further reads. */
  tx: Sql;
};

export type Change = {
  /** What the message is after the change. */
  message: StoredMessage;
  statements: string[];
  /** Absent if the change is only stored now, and gets its number when it is told together with others. */
  tell?: {
    /** Events besides message.changed, which comes before them. */
    events: OutboxEvent[];
    reacted?: ReactedFacts[];
  };
};

/** Changes a message as `decide` says: it throws a refusal, and returns undefined if nothing changes. */
export type ChangeMessage = (
  asked: Asked,
  decide: (state: ChangeState) => Change | undefined | Promise<Change | undefined>,
  /** Further cache keys that the change touches. */
  keys?: readonly string[],
) => Promise<{ message: Message; changed: boolean; told: boolean }>;

/** Who changes which message, as domain events say it. */
export const aboutMessage = ({ actorId, message }: ChangeState) => ({
  actor_id: String(actorId),
  conversation_id: message.conversationId,
  message_id: message.id,
  seq_id: message.seqId,
});

/** The actor id of operators, who moderate conversations without being members. No user has this id. */
export const operatorId = 0;

/** Tries for an archived message that others change at the same time. */
const maxTries = 5;

/**
 * Changes messages one at a time. An archived message gets its row in the database back: it is newer than the archive from then
 * on. A change is numbered under the lock of the conversation's head, and its event takes the
 * way of the messages, so that all members get the changes of a conversation in the order of their numbers, and none
 * before its message. Throws CONVERSATION_NOT_FOUND, NOT_CONVERSATION_MEMBER or MESSAGE_NOT_FOUND, or what `decide`
 * throws.
 */
export function createMessageChange(deps: MessageChangeDeps): ChangeMessage {
  const { databases, cache, cold, outbox, userCards, searchIndex, links, releaseFile } = deps;

  /**
   * The card of the message's sender, which its event shows, and the message itself if it is archived. Read before the lock,
   * because accounts and archived messages are elsewhere.
   */
  async function readBefore(asked: Asked, conversationId: number) {
    const rows = await databases
      .messagesOf(asked.conversationId)
      .query<{ sender_id: number }>('SELECT sender_id FROM messages WHERE id = ? AND conversation_id = ?', [
        idOf(asked),
        conversationId,
      ]);
    const isStored = rows.length > 0;
    const archived = isStored ? undefined : await cold.byId(conversationId, idOf(asked));
    const known = archived ? [archived] : rows;
    return {
      senders: await userCards.byIds(known.map(({ sender_id }) => String(sender_id))),
      found: { isStored, archived },
    };
  }

  /** The statements that make the search index follow the change, if it changes what searches look at. */
  async function indexStatements(
    { tx, conversationId, message }: ChangeState,
    change: Change,
  ): Promise<string[]> {
    const [before, after] = [message, change.message].map((one) => searchedText(one).text);
    if (before === undefined || after === undefined || before === after) return [];
    return searchIndex.change(tx, conversationId, [{ seqId: message.seqId, before, after }]);
  }

  const changeOnce: ChangeOnce = async (asked, decide, keys) => {
    const conversationId = conversationIdOf(asked.conversationId);
    const actorId = asked.actorId === '' ? operatorId : userIdOf(asked.actorId);
    const { senders, found } = await readBefore(asked, conversationId);
    let lost: readonly FileId[] = [];
    const answer: ChangedOnce = await cache.change(async (touch) => {
      await touch([headKey(asked.conversationId), changesKey(asked.conversationId), ...keys]);
      return databases.messagesOf(asked.conversationId).transaction(async (tx) => {
        const locked = await lockMessage(tx, asked, conversationId, actorId, found);
        if (locked === 'moved') return 'moved';
        const { lastChangeSeq, before, ...state } = locked;
        const change = await decide(state);
        if (!change)
          return { message: toMessage(state.message, senders, links), changed: false, told: false };
        const { tell } = change;
        if (!tell) {
          await tx.batchAndCommit([...before, ...change.statements].join(';\n'));
          return { message: toMessage(change.message, senders, links), changed: true, told: false };
        }
        lost = change.message.content === state.message.content ? [] : filesOf(state.message);
        const changeSeq = lastChangeSeq + 1;
        const message = toMessage({ ...change.message, changeSeq }, senders, links);
        const event = orderedEvent({
          type: 'message.changed',
          conversation_id: asked.conversationId,
          actor_id: String(actorId),
          extra_user_ids: [],
          change_seq: changeSeq,
          message: toMessageFacts(message),
          ...(tell.reacted ? { reacted: tell.reacted } : {}),
        });
        await tx.batchAndCommit(
          [
            ...before,
            ...change.statements,
            ...(await indexStatements(state, change)),
            ...changeReferences(conversationId, state.message, change.message),
            ...storeChanges(conversationId, lastChangeSeq, [change.message.seqId]),
            insertEvents([event, ...tell.events]),
          ].join(';\n'),
        );
        return { message, changed: true, told: true };
      });
    });
    if (answer === 'moved') return answer;
    if (answer.told) outbox.wake();
    // Whatever fails here, another process does later: it is noted with the change.
    await Promise.allSettled(lost.map((file) => releaseFile(file)));
    return answer;
  };

  return async (asked, decide, keys = []) => {
    for (let tries = 0; tries < maxTries; tries++) {
      const answer = await changeOnce(asked, decide, keys);
      if (answer !== 'moved') return answer;
    }
    throw new GoChatError('UNAVAILABLE', 'The message is being moved right now. Try again.');
  };
}

type ChangedOnce = Awaited<ReturnType<ChangeMessage>> | 'moved';
type ChangeOnce = (...given: Required<Parameters<ChangeMessage>>) => Promise<ChangedOnce>;

const filesOf = ({ messageType, content }: StoredMessage): readonly FileId[] =>
  attachedTo(messageType, content)?.files ?? [];

/** The references of a message follow its content. A file that it loses goes, unless something else refers to it. */
function changeReferences(conversationId: number, before: StoredMessage, after: StoredMessage): string[] {
  if (before.content === after.content) return [];
  const { seqId } = after;
  return [
    ...deleteReferences(fileRecalled, conversationId, [seqId], filesOf(before)),
    ...insertReferences(filesOf(after).map((file) => ({ conversationId, seqId, file }))),
  ];
}

/** A message id as a value for SQL: no message has an id that is not a whole number. */
const idOf = ({ messageId }: Asked): number => Math.max(0, Math.trunc(messageId));

type HeadRow = {
  last_change_seq: number;
  cold_until_seq: number;
  fanout_mode: number;
  fanout_done_seq: number;
};

/** Where a message was before the lock: with a row in the database, archived, or neither. */
type Found = { isStored: boolean; archived: ArchivedMessage | undefined };

/**
 * `before` are the statements that must come before those of the change. 'moved': the message was archived, or an archived one
 * was changed, since it was looked for.
 */
async function lockMessage(
  tx: Transaction,
  asked: Asked,
  conversationId: number,
  actorId: number,
  { isStored, archived }: Found,
): Promise<(ChangeState & { lastChangeSeq: number; before: string[] }) | 'moved'> {
  const [heads, conversations, members, messages, changes] = (await tx.batch(
    [
      `SELECT last_change_seq, cold_until_seq, fanout_mode, fanout_done_seq FROM conversation_heads
       WHERE conversation_id = ${conversationId} FOR UPDATE`,
      `SELECT type, status, mute_all, send_state FROM conversations WHERE id = ${conversationId}`,
      `SELECT role, muted FROM conversation_members
       WHERE user_id = ${actorId} AND conversation_id = ${conversationId}`,
      // Index: messages_id.
      formatSql(`SELECT ${messageColumns()} FROM messages WHERE id = ? AND conversation_id = ?`, [
        idOf(asked),
        conversationId,
      ]),
      // Index: the primary key of message_changes.
      formatSql('SELECT change_seq FROM message_changes WHERE conversation_id = ? AND seq_id = ?', [
        conversationId,
        archived?.seq_id ?? 0,
      ]),
    ].join(';\n'),
  )) as [HeadRow[], WriteGate[], Writer[], MessageRow[], { change_seq: number }[]];
  const [head] = heads;
  const [conversation] = conversations;
  const [member] = members;
  const row = messages[0] ?? archived;
  if (!head || conversation?.status !== conversationStatus.active) throw conversationNotFound();
  if (!member && actorId !== operatorId) throw notMember();
  if (!row && isStored) return 'moved';
  if (!row) throw messageNotFound();
  const isRestored = messages.length === 0 && archived !== undefined;
  if (isRestored && (changes[0]?.change_seq ?? 0) !== archived.change_seq) return 'moved';
  return {
    conversationId,
    actorId,
    conversation,
    member,
    message: fromMessageRow(row),
    delivered: !isTrue(head.fanout_mode) || head.fanout_done_seq >= row.seq_id,
    tx,
    lastChangeSeq: head.last_change_seq,
    before: [
      ...(isRestored ? [restoreRows([archived])] : []),
      ...(row.seq_id <= head.cold_until_seq ? [noteColdChanges(conversationId, [row.seq_id])] : []),
    ],
  };
}
