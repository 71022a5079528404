// Room: the shapes of data in REST answers and frames. Only shapes: no I/O, and no decision who may see what.

import { type Static, Type } from 'typebox';
import { deletedUser } from '../domain/deleted-user.ts';
import { bodyOf, extraSchemas } from '../domain/message-body.ts';
import type { Message as ProtoMessage } from '../gen/im_repo/v1/message.ts';

export const Sender = Type.Object(
  { id: Type.String(), username: Type.String(), displayName: Type.String(), avatarUrl: Type.String() },
  { $id: 'Sender' },
);

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
    ...bodyOf(message),
    deleted: message.deleted,
    createdAt: message.createdAt,
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
