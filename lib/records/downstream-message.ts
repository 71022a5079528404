import { bodyFromRecord } from '../domain/message-body.ts';
import type { Message } from '../wire/message.ts';
import type { DownstreamMessage } from './records.ts';

/** Converts a message of a downstream record to the shape in frames. */
export const fromDownstream = (message: DownstreamMessage): Message => ({
  id: message.message_id,
  conversationId: message.conversation_id,
  seqId: message.seq_id,
  sender: {
    id: message.sender_info.id,
    username: message.sender_info.username,
    displayName: message.sender_info.display_name,
    avatarUrl: message.sender_info.avatar_url,
  },
  ...bodyFromRecord(message),
  deleted: message.deleted ?? false,
  createdAt: message.created_at,
});
