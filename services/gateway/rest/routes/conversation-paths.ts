import Type from 'typebox';
import { checkConversationId, checkMessageId } from '../../../../lib/domain/id-checks.ts';
import * as fields from '../../validation/fields.ts';

/** The parameters of paths that name a conversation, or one of its messages. */
export const conversationParams = Type.Object({ id: fields.pathConversationId });
export const messageParams = Type.Object({
  id: fields.pathConversationId,
  messageId: fields.pathMessageId,
});

/** The ids of the conversation and the message in a path. */
export const messageOf = (params: { id: string; messageId: string }) => ({
  conversationId: checkConversationId(params.id),
  messageId: checkMessageId(params.messageId),
});

/** Error codes for a conversation that does not exist, or of which the caller is no member. */
export const accessErrors = ['CONVERSATION_NOT_FOUND', 'NOT_CONVERSATION_MEMBER'] as const;
/** Error codes for a caller who may not write in the conversation now. */
export const writeErrors = [...accessErrors, 'NOT_FRIENDS', 'BLOCKED', 'MEMBER_MUTED'] as const;
