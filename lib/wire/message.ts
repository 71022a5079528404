// Room: the shapes of data in REST answers and frames. Only shapes: no I/O, and no decision who may see what.

import { type Static, Type } from 'typebox';
import { deletedUser } from '../domain/deleted-user.ts';
import { limits } from '../domain/limits.ts';
import { bodyOf, extraSchemas, toClient } from '../domain/message-body.ts';
import type { Message as ProtoMessage } from '../gen/im_repo/v1/message.ts';

export const Sender = Type.Object(
  { id: Type.String(), username: Type.String(), displayName: Type.String(), avatarUrl: Type.String() },
  { $id: 'Sender' },
);

const Reaction = Type.Object({
  emoji: Type.String({ examples: ['👍'] }),
  count: Type.Integer(),
  userIds: Type.Array(Type.String(), {
    description: `Who reacted first, at most ${limits.reactionUsers}`,
    examples: [['7301444403200002']],
  }),
});

/** A message in REST answers and WebSocket frames. */
export const Message = Type.Object(
  {
    id: Type.Integer(),
    conversationId: Type.String(),
    seqId: Type.Integer(),
    sender: Sender,
    messageType: Type.Integer({ description: '1 text, 2 image, 3 file, 4 system' }),
    content: Type.String({ description: 'Empty once deleted' }),
    clientMsgId: Type.String(),
    ...extraSchemas,
    deleted: Type.Boolean(),
    createdAt: Type.Integer({ description: 'Unix milliseconds' }),
    changeSeq: Type.Integer({
      description: 'The number of its last change among all changes in its conversation; 0: never changed',
    }),
    editedAt: Type.Optional(Type.Integer({ description: 'When it was edited last, Unix milliseconds' })),
    reactions: Type.Optional(
      Type.Array(Reaction, { description: 'In the order of their first use; absent: there are none' }),
    ),
    pinned: Type.Optional(Type.Boolean({ description: 'Present on pinned messages' })),
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
    ...toClient(bodyOf(message)),
    deleted: message.deleted,
    createdAt: message.createdAt,
    changeSeq: message.changeSeq,
    ...(message.editedAt === undefined ? {} : { editedAt: message.editedAt }),
    ...(message.reactions.length === 0
      ? {}
      : { reactions: message.reactions.map(({ emoji, count, userIds }) => ({ emoji, count, userIds })) }),
    ...(message.pinned ? { pinned: true } : {}),
  };
}

/** The response body of a page of messages. Only a page around a message says in which direction there are more. */
export const toMessagePage = (page: {
  messages: readonly ProtoMessage[];
  hasMore: boolean;
  hasOlder?: boolean | undefined;
  hasNewer?: boolean | undefined;
}) => ({
  messages: page.messages.map(toMessage),
  hasMore: page.hasMore,
  hasOlder: page.hasOlder,
  hasNewer: page.hasNewer,
});
