import { conversationStatus, conversationType, memberRole } from '../../../lib/domain/enumerations.ts';
import { conversationNotFound, messageNotFound } from '../../../lib/domain/refusals.ts';
import { GoChatError } from '../../../lib/errors.ts';
import type { DeleteMessageRequest, DeleteMessageResponse } from '../../../lib/gen/im_repo/v1/message.ts';
import type { Cache } from '../cache/cache.ts';
import { domainEvent, insertEvents, type Outbox, orderedEvent } from '../outbox/outbox.ts';
import { conversationIdOf, notMember, userIdOf } from '../rows/conversation-access.ts';
import { basicKey } from '../rows/conversation-basic.ts';
import { headKey } from '../rows/conversation-head.ts';
import { storeRecalls } from '../rows/recall-counts.ts';
import { formatSql } from '../storage/database.ts';
import type { Databases } from '../storage/databases.ts';
import { isTrue } from '../storage/sql.ts';

export type MessageRecallDeps = { databases: Databases; cache: Cache; outbox: Outbox };

type Found = { seq_id: number; sender_id: number; deleted: number; created_at: number };

/** The actor id of operators, who moderate conversations without being members. No user has this id. */
const operatorId = 0;

/**
 * Recalls a message: deletes its content and keeps its seq id. Its sender may do so within the recall window
 * (`recallWindowMs`); a group's owner and admins, and operators, at any time. A repeat changes nothing. Throws
 * CONVERSATION_NOT_FOUND, NOT_CONVERSATION_MEMBER, MESSAGE_NOT_FOUND, PERMISSION_DENIED or RECALL_EXPIRED.
 */
export function createMessageRecall({ databases, cache, outbox }: MessageRecallDeps) {
  return async (request: DeleteMessageRequest): Promise<DeleteMessageResponse> => {
    const conversationId = conversationIdOf(request.conversationId);
    const actorId = request.actorId === '' ? operatorId : userIdOf(request.actorId);
    const answer = await cache.change(async (touch) => {
      await touch([headKey(request.conversationId), basicKey(request.conversationId)]);
      return databases.messagesOf(request.conversationId).transaction(async (tx) => {
        const [, conversations, members, messages] = (await tx.batch(
          [
            formatSql('SELECT 1 FROM conversation_heads WHERE conversation_id = ? FOR UPDATE', [
              conversationId,
            ]),
            formatSql('SELECT type, status FROM conversations WHERE id = ?', [conversationId]),
            formatSql('SELECT role FROM conversation_members WHERE user_id = ? AND conversation_id = ?', [
              actorId,
              conversationId,
            ]),
            formatSql(
              `SELECT seq_id, sender_id, deleted, created_at FROM messages WHERE id = ? AND conversation_id = ?`,
              [Math.max(0, Math.trunc(request.messageId)), conversationId],
            ),
          ].join(';\n'),
        )) as [unknown[], { type: number; status: number }[], { role: number }[], Found[]];
        const [conversation] = conversations;
        const [member] = members;
        const [message] = messages;
        if (conversation?.status !== conversationStatus.active) throw conversationNotFound();
        if (!member && actorId !== operatorId) throw notMember();
        if (!message) throw messageNotFound();
        const isManaged =
          conversation.type === conversationType.group && (member?.role ?? 0) >= memberRole.admin;
        if (!isManaged && actorId !== operatorId) checkSender(message, actorId, request.recallWindowMs);
        if (isTrue(message.deleted)) return { seqId: message.seq_id, deleted: false };
        await tx.batchAndCommit(
          recallStatements({ conversationId, seqId: message.seq_id, messageId: request.messageId, actorId }),
        );
        return { seqId: message.seq_id, deleted: true };
      });
    });
    if (answer.deleted) outbox.wake();
    return answer;
  };
}

function checkSender(message: Found, actorId: number, windowMs: number): void {
  if (message.sender_id !== actorId) {
    throw new GoChatError(
      'PERMISSION_DENIED',
      'Only the sender of a message, or the owner or an admin of its group, can recall it.',
    );
  }
  if (message.deleted === 0 && Date.now() - message.created_at > windowMs) {
    throw new GoChatError('RECALL_EXPIRED', 'The time in which a message can be recalled has passed.');
  }
}

function recallStatements(recall: {
  conversationId: number;
  seqId: number;
  messageId: number;
  actorId: number;
}): string {
  const { conversationId, seqId, messageId, actorId } = recall;
  const about = {
    type: 'message.recalled',
    actor_id: String(actorId),
    conversation_id: String(conversationId),
    message_id: messageId,
    seq_id: seqId,
  } as const;
  return [
    formatSql("UPDATE messages SET deleted = TRUE, content = '' WHERE conversation_id = ? AND seq_id = ?", [
      conversationId,
      seqId,
    ]),
    ...storeRecalls(conversationId, [{ seqId, messageId, by: actorId }]),
    insertEvents([domainEvent(about), orderedEvent({ ...about, extra_user_ids: [] })]),
  ].join(';\n');
}
