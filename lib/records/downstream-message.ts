import { bodyFromRecord } from '../domain/message-body.ts';
import type { Message } from '../wire/message.ts';
import type { DownstreamMessage, SenderInfo } from './records.ts';

/** Converts the sender of a message to the shape in records; `fromDownstream` is its inverse. */
export const toSenderInfo = ({ id, username, displayName, avatarUrl }: Message['sender']): SenderInfo => ({
  id,
  username,
  display_name: displayName,
  avatar_url: avatarUrl,
});

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
