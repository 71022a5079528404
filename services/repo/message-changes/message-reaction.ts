import { limits } from '../../../lib/domain/limits.ts';
import { messageNotFound } from '../../../lib/domain/refusals.ts';
import { GoChatError } from '../../../lib/errors.ts';
import type { SetReactionRequest, SetReactionResponse } from '../../../lib/gen/im_repo/v1/message.ts';
import type { StoredReaction } from '../rows/message-rows.ts';
import { formatSql } from '../storage/database.ts';
import type { Change, ChangeMessage, ChangeState } from './message-change.ts';
import { emojiOf, storeReactions, withoutUser } from './reaction-rows.ts';
import type { ReactionTelling } from './reaction-telling.ts';
import { requireWriter } from './write-access.ts';

/**
 * Adds a reaction to a message, or takes it away: a row per user and emoji, and in the message's row the count and the
 * first users of each emoji, so that a page costs the same however many users reacted. A repeat changes nothing. Throws what
 * `ChangeMessage` and a new message throw, INVALID_ARGUMENT or REACTION_LIMIT.
 */
export function createMessageReaction(deps: { changeMessage: ChangeMessage; telling: ReactionTelling }) {
  const { changeMessage, telling } = deps;
  return async (request: SetReactionRequest): Promise<SetReactionResponse> => {
    const emoji = emojiOf(request.emoji);
    const { message, changed, told } = await changeMessage(request, async (state) => {
      requireWriter(state.conversation, state.member);
      if (state.message.deleted) throw messageNotFound();
      const change = await setReaction(state, emoji, request.on);
      return change && telling.tellNowOrLater(state, change, { emoji, on: request.on });
    });
    if (changed && !told) telling.schedule(message);
    return {};
  };
}

async function setReaction(state: ChangeState, emoji: string, on: boolean): Promise<Change | undefined> {
  const { tx, conversationId, actorId, message } = state;
  const key = [conversationId, message.seqId, Buffer.from(emoji), actorId];
  // Index: the primary key of message_reactions.
  const [own] = await tx.query<{ n: number }>(
    `SELECT 1 AS n FROM message_reactions
     WHERE conversation_id = ? AND seq_id = ? AND emoji = ? AND user_id = ?`,
    key,
  );
  if ((own !== undefined) === on) return undefined;
  const before = message.reactions ?? [];
  const reactions = on
    ? withUser(before, emoji, String(actorId))
    : await withoutUser(tx, before, { conversationId, seqId: message.seqId, emoji, userId: actorId });
  return {
    message: { ...message, reactions },
    statements: [
      on
        ? formatSql(
            'INSERT INTO message_reactions (conversation_id, seq_id, emoji, user_id, created_at) VALUES (?)',
            [[...key, Date.now()]],
          )
        : formatSql(
            `DELETE FROM message_reactions
             WHERE conversation_id = ? AND seq_id = ? AND emoji = ? AND user_id = ?`,
            key,
          ),
      storeReactions(conversationId, message.seqId, reactions),
    ],
  };
}

function withUser(reactions: readonly StoredReaction[], emoji: string, userId: string): StoredReaction[] {
  const known = reactions.some((one) => one.emoji === emoji);
  if (!known && reactions.length >= limits.reactionKinds)
    throw new GoChatError(
      'REACTION_LIMIT',
      `A message has at most ${limits.reactionKinds} kinds of reactions.`,
    );
  if (!known) return [...reactions, { emoji, count: 1, userIds: [userId] }];
  return reactions.map((one) =>
    one.emoji !== emoji
      ? one
      : {
          emoji,
          count: one.count + 1,
          userIds: one.userIds.length < limits.reactionUsers ? [...one.userIds, userId] : one.userIds,
        },
  );
}
