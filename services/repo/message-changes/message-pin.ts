import { conversationType, memberRole } from '../../../lib/domain/enumerations.ts';
import { limits } from '../../../lib/domain/limits.ts';
import { messageNotFound } from '../../../lib/domain/refusals.ts';
import { GoChatError } from '../../../lib/errors.ts';
import type { SetPinnedRequest, SetPinnedResponse } from '../../../lib/gen/im_repo/v1/message.ts';
import { domainEvent } from '../outbox/outbox.ts';
import { formatSql } from '../storage/database.ts';
import { aboutMessage, type Change, type ChangeMessage, type ChangeState } from './message-change.ts';

/**
 * Pins or unpins a message: the owner and admins of a group, and either user of a single conversation. A repeat changes
 * nothing. Throws what `ChangeMessage` throws, PERMISSION_DENIED or PIN_LIMIT.
 */
export function createMessagePin(changeMessage: ChangeMessage) {
  return async (request: SetPinnedRequest): Promise<SetPinnedResponse> => {
    await changeMessage(request, (state) => setPinned(state, request.pinned));
    return {};
  };
}

async function setPinned(state: ChangeState, pinned: boolean): Promise<Change | undefined> {
  const { conversationId, actorId, message } = state;
  checkRight(state);
  if (message.deleted) throw messageNotFound();
  if ((message.pinned ?? false) === pinned) return undefined;
  const place = [conversationId, message.seqId];
  if (pinned) await checkRoom(state);
  return {
    message: { ...message, pinned },
    statements: [
      formatSql('UPDATE messages SET pinned = ? WHERE conversation_id = ? AND seq_id = ?', [
        pinned,
        ...place,
      ]),
      pinned
        ? formatSql('INSERT INTO message_pins (conversation_id, seq_id, pinned_by, pinned_at) VALUES (?)', [
            [...place, actorId, Date.now()],
          ])
        : deletePins(conversationId, [message.seqId]),
    ],
    tell: { events: [domainEvent({ type: 'message.pinned', ...aboutMessage(state), pinned })] },
  };
}

function checkRight({ conversation, member }: ChangeState): void {
  if (conversation.type === conversationType.single) return;
  if (conversation.type === conversationType.group && (member?.role ?? 0) >= memberRole.admin) return;
  throw new GoChatError(
    'PERMISSION_DENIED',
    'Only the owner and admins of a group, and the users of a single conversation, can pin messages.',
  );
}

async function checkRoom({ tx, conversationId }: ChangeState): Promise<void> {
  // Index: the primary key of message_pins.
  const [row] = await tx.query<{ pins: number }>(
    'SELECT COUNT(*) AS pins FROM message_pins WHERE conversation_id = ?',
    [conversationId],
  );
  if ((row?.pins ?? 0) >= limits.pins)
    throw new GoChatError('PIN_LIMIT', `A conversation has at most ${limits.pins} pinned messages.`);
}

/** The statement that unpins messages, besides their rows in messages. */
export const deletePins = (conversationId: number, seqIds: readonly number[]): string =>
  `DELETE FROM message_pins WHERE conversation_id = ${conversationId} AND seq_id IN (${seqIds})`;
