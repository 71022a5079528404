// Room: how things look to clients, in REST answers and frames. Only shapes: no I/O, and no decision who sees
// what.

import { type Static, Type } from 'typebox';
import type { Message as ProtoMessage } from '../gen/im_repo/v1/message.ts';
import type { DownstreamMessage } from '../kafka/records.ts';
import { deletedUser } from './user.ts';

export const Sender = Type.Object(
  { id: Type.String(), username: Type.String(), displayName: Type.String(), avatarUrl: Type.String() },
  { $id: 'Sender' },
);

/** A message as REST answers and WebSocket frames show one. */
export const Message = Type.Object(
  {
    id: Type.Integer(),
    conversationId: Type.String(),
    seqId: Type.Integer(),
    sender: Sender,
    messageType: Type.Integer({ description: '1 text, 2 image, 3 file, 4 system' }),
    content: Type.String({ description: 'Empty once deleted' }),
    clientMsgId: Type.String(),
    replyToSeqId: Type.Optional(Type.Integer()),
    mentions: Type.Optional(Type.Array(Type.String())),
    deleted: Type.Boolean(),
    createdAt: Type.Integer({ description: 'Unix milliseconds' }),
  },
  { $id: 'Message' },
);
export type Message = Static<typeof Message>;

export function toMessage(message: ProtoMessage): Message {
  const sender = message.sender ?? deletedUser('');
  return {
    id: message.id,
    conversationId: message.conversationId,
    seqId: message.seqId,
    sender: {
      id: sender.id,
      username: sender.username,
      displayName: sender.displayName,
      avatarUrl: sender.avatarUrl,
    },
    messageType: message.messageType,
    content: message.content,
    clientMsgId: message.clientMsgId,
    ...(message.replyToSeqId === undefined ? {} : { replyToSeqId: message.replyToSeqId }),
    ...(message.mentions.length === 0 ? {} : { mentions: message.mentions }),
    deleted: message.deleted,
    createdAt: message.createdAt,
  };
}

/** The body of a page of history. */
export const toMessagePage = (page: { messages: readonly ProtoMessage[]; hasMore: boolean }) => ({
  messages: page.messages.map(toMessage),
  hasMore: page.hasMore,
});

/** The same shape out of a downstream record. */
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
  messageType: message.message_type,
  content: message.content,
  clientMsgId: message.client_msg_id,
  ...(message.reply_to_seq_id === undefined ? {} : { replyToSeqId: message.reply_to_seq_id }),
  ...(message.mentions === undefined ? {} : { mentions: message.mentions }),
  deleted: message.deleted ?? false,
  createdAt: message.created_at,
});
