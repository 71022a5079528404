import { type Static, type TSchema, Type } from 'typebox';
import { newBodySchemas } from '../domain/message-body.ts';
import type { Code } from '../errors.ts';
import { Conversation, Member, type PersonalField } from './conversation.ts';
import * as fields from './fields.ts';
import { Message } from './message.ts';
import { FriendRequest } from './user.ts';

/** One type of frame: its description for the API documents, and the schema of its `data` if it has any. */
type FrameKind = { description: string; data?: TSchema };

const id = Type.String();
const seqId = Type.Integer();
const time = Type.Integer({ description: 'Unix milliseconds' });

const own = Conversation.properties;
/** The fields that differ by member are present only in frames for one member about that member. */
const personal = {
  role: Type.Optional(own.role),
  muted: Type.Optional(own.muted),
  lastReadSeqId: Type.Optional(own.lastReadSeqId),
  unreadCount: Type.Optional(own.unreadCount),
  notifications: Type.Optional(own.notifications),
  pinned: Type.Optional(own.pinned),
  hidden: Type.Optional(own.hidden),
} satisfies Record<PersonalField, TSchema>;

/** Every frame that a server sends, by type. */
export const serverFrames = {
  welcome: {
    description:
      'The first frame, sent when the session is registered. The session gets everything that is sent to the user from now on.',
    data: Type.Object({
      sessionId: id,
      userId: id,
      heartbeatMs: Type.Integer({ description: 'How often to send ping' }),
    }),
  },
  'message-ack': {
    description: 'A message that this session sent is stored for good.',
    data: Type.Object({
      clientMsgId: id,
      conversationId: id,
      messageId: Type.Integer(),
      seqId,
      createdAt: time,
      duplicate: Type.Boolean({
        description: 'The message had been stored before, and is not delivered again',
      }),
    }),
  },
  'new-message': {
    description:
      'A message of a conversation, for every session of its members except the one that sent it. Messages of a conversation arrive in the order of their seqIds.',
    data: Message,
  },
  'message-read': {
    description:
      'A member has read up to seqId, by marking or by sending. Sent to the senders of the messages newly read, and to the reader’s other sessions.',
    data: Type.Object({ conversationId: id, userId: id, seqId }),
  },
  'message-recalled': {
    description:
      'A message was recalled. Sent to every member. Its seqId stays, and its content is empty from now on.',
    data: Type.Object({
      conversationId: id,
      messageId: Type.Integer(),
      seqId,
      by: Type.String({ description: 'The id of the user who recalled it; "0" for the operators' }),
    }),
  },
  'message-changed': {
    description:
      'A message changed: it was edited, recalled, pinned or unpinned, or users reacted to it. Sent to every member, in the order of changeSeq, with what the message is now.',
    data: Type.Object({
      conversationId: id,
      changeSeq: Type.Integer({ description: 'The number of the change: 1, 2, 3, … in each conversation' }),
      message: Message,
      reacted: Type.Optional(
        Type.Array(
          Type.Object({
            userId: id,
            emoji: Type.String(),
            on: Type.Boolean({ description: 'Whether the user reacted, or took the reaction away' }),
          }),
          {
            description:
              'The reactions that this change tells. Reactions that follow each other quickly are told together.',
          },
        ),
      ),
    }),
  },
  'typing-indicator': {
    description: 'A member is typing. Sent to the other members of conversations with up to 500 members.',
    data: Type.Object({ conversationId: id, userId: id }),
  },
  'online-status': {
    description:
      'A friend came online or went offline. A friend counts as offline 30 s after the last session ended without a new one.',
    data: Type.Object({
      userId: id,
      status: Type.Union([Type.Literal('online'), Type.Literal('offline')]),
      lastActiveAt: time,
    }),
  },
  'friend-request': {
    description: 'Another user sent the user a friend request.',
    data: Type.Object({ request: FriendRequest }),
  },
  'friend-request-handled': {
    description:
      'A friend request was accepted, rejected, withdrawn, or expired. Sent to both sides; includes the conversation if it was accepted.',
    data: Type.Object({ request: FriendRequest, conversation: Type.Optional(Conversation) }),
  },
  'conversation-created': {
    description:
      'A conversation was created. Sent to each of its first members, with the member’s own fields.',
    data: Type.Object({ conversation: Conversation }),
  },
  'conversation-updated': {
    description:
      'A conversation changed. Sent to every member without the fields that differ by member. If only such fields changed, it is sent with them to that member only.',
    data: Type.Object({ conversation: Type.Object({ ...own, ...personal }) }),
  },
  'conversation-dissolved': {
    description: 'A group was dissolved. Sent to all who were members.',
    data: Type.Object({ conversationId: id }),
  },
  'member-added': {
    description:
      'Members joined. Sent to every member. A new member gets it before any other frame of the conversation.',
    data: Type.Object({ conversationId: id, members: Type.Array(Member) }),
  },
  'member-removed': {
    description:
      'Members left or were removed. Sent to the members, and to those removed as the last frame of the conversation.',
    data: Type.Object({
      conversationId: id,
      userIds: Type.Array(id),
      by: Type.String({
        description: 'The id of the user who removed them; the member’s own id if the member left',
      }),
    }),
  },
  pong: { description: 'Answers ping.' },
  error: {
    description: 'A frame of this session was refused.',
    data: Type.Object({
      code: Type.Unsafe<Code>({
        type: 'string',
        description: 'The same codes as in the problem documents of REST',
      }),
      message: Type.String({ description: 'Why, for people' }),
      clientMsgId: Type.Optional(Type.String({ description: 'The clientMsgId of the refused message' })),
      retryable: Type.Boolean({ description: 'Whether the same frame may be sent again' }),
    }),
  },
} as const satisfies Record<string, FrameKind>;

/** Every frame that a client may send, by type. The gateway checks incoming frames against these schemas. */
export const clientFrames = {
  'send-message': {
    description: 'Sends a message. A message-ack or an error with the same clientMsgId answers it.',
    data: Type.Object({ conversationId: fields.id, ...newBodySchemas }),
  },
  'mark-read': {
    description: 'Moves the user’s read pointer of a conversation forward, never back.',
    data: Type.Object({ conversationId: fields.id, seqId: fields.seqId }),
  },
  typing: {
    description:
      'Tells the other members that the user is typing. The gateway ignores more than one per two seconds.',
    data: Type.Object({ conversationId: fields.id }),
  },
  ping: { description: 'Keeps the session alive: send one every heartbeatMs. Answered by pong.' },
} as const satisfies Record<string, FrameKind>;

type DataOf<Kind> = Kind extends { data: infer Schema extends TSchema } ? Static<Schema> : undefined;

/** The `data` of each type of frame; undefined if the type has none. */
export type ServerFrameData = {
  [T in keyof typeof serverFrames]: DataOf<(typeof serverFrames)[T]>;
};
export type ClientFrameData = {
  [T in keyof typeof clientFrames]: DataOf<(typeof clientFrames)[T]>;
};
export type ServerFrameType = keyof ServerFrameData;
export type ClientFrameType = keyof ClientFrameData;

/** The types of frames that have no data. */
export type BareFrameType<FrameData> = {
  [T in keyof FrameData]: FrameData[T] extends undefined ? T : never;
}[keyof FrameData];

type FramesOf<FrameData, Chosen extends keyof FrameData> = {
  [T in Chosen]: FrameData[T] extends undefined
    ? { type: T; data?: undefined }
    : { type: T; data: FrameData[T] };
}[Chosen];

/** A frame that a server sends, of any type or of the chosen types. `type` decides the shape of `data`. */
export type ServerFrame<Chosen extends ServerFrameType = ServerFrameType> = FramesOf<ServerFrameData, Chosen>;
/** A frame that a client sends. */
export type ClientFrame<Chosen extends ClientFrameType = ClientFrameType> = FramesOf<ClientFrameData, Chosen>;
