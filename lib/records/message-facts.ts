import { deletedUser } from '../domain/deleted-user.ts';
import { bodyFromRecord, bodyToRecord, toClient } from '../domain/message-body.ts';
import type { Message as ProtoMessage } from '../gen/im_repo/v1/message.ts';
import type { Message } from '../wire/message.ts';
import type { MessageFacts, SenderInfo } from './records.ts';

/** Converts the sender of a message to the shape in records. */
export const toSenderInfo = ({ id, username, displayName, avatarUrl }: Message['sender']): SenderInfo => ({
  id,
  username,
  display_name: displayName,
  avatar_url: avatarUrl,
});

/** Converts a message of a record to the shape in frames. */
export const toWireMessage = (message: MessageFacts): Message => ({
  id: message.message_id,
  conversationId: message.conversation_id,
  seqId: message.seq_id,
  sender: {
    id: message.sender_info.id,
    username: message.sender_info.username,
    displayName: message.sender_info.display_name,
    avatarUrl: message.sender_info.avatar_url,
  },
  ...toClient(bodyFromRecord(message)),
  deleted: message.deleted ?? false,
  createdAt: message.created_at,
  changeSeq: message.change_seq ?? 0,
  ...(message.edited_at === undefined ? {} : { editedAt: message.edited_at }),
  ...(message.reactions === undefined
    ? {}
    : {
        reactions: message.reactions.map(({ emoji, count, user_ids }) => ({
          emoji,
          count,
          userIds: user_ids,
        })),
      }),
  ...(message.pinned ? { pinned: true } : {}),
});

/** Converts a stored message to the shape in records. What most messages lack is left out. */
export function toMessageFacts(message: ProtoMessage): MessageFacts {
  return {
    message_id: message.id,
    conversation_id: message.conversationId,
    sender_info: toSenderInfo(message.sender ?? deletedUser('')),
    ...bodyToRecord(message),
    seq_id: message.seqId,
    created_at: message.createdAt,
    ...(message.deleted ? { deleted: true } : {}),
    ...(message.changeSeq === 0 ? {} : { change_seq: message.changeSeq }),
    ...(message.editedAt === undefined ? {} : { edited_at: message.editedAt }),
    ...(message.reactions.length === 0
      ? {}
      : {
          reactions: message.reactions.map(({ emoji, count, userIds }) => ({
            emoji,
            count,
            user_ids: userIds,
          })),
        }),
    ...(message.pinned ? { pinned: true } : {}),
  };
}
