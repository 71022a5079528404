import { type Static, type TSchema, Type } from 'typebox';
import { newBodySchemas } from '../domain/message-body.ts';
import type { Code } from '../errors.ts';
import { Conversation, Member, type PersonalField } from './conversation.ts';
import * as fields from './fields.ts';
import { Message } from './message.ts';
import { FriendRequest } from './user.ts';

/** One type of frame: what it says, and the schema of its `data` where it has any. */
type FrameKind = { description: string; data?: TSchema };

const id = Type.String();
const seqId = Type.Integer();
const time = Type.Integer({ description: 'Unix milliseconds' });

const own = Conversation.properties;
/** What differs by member is there only in what a member is told of itself. */
const personal = {
  role: Type.Optional(own.role),
  muted: Type.Optional(own.muted),
  lastReadSeqId: Type.Optional(own.lastReadSeqId),
  unreadCount: Type.Optional(own.unreadCount),
  notifications: Type.Optional(own.notifications),
  pinned: Type.Optional(own.pinned),
  hidden: Type.Optional(own.hidden),
} satisfies Record<PersonalField, TSchema>;

/** Every frame that a server sends, by its type. */
export const serverFrames = {
  welcome: {
    description: 'Comes first, once the session is registered: whatever is sent after it arrives here.',
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
      duplicate: Type.Boolean({ description: 'It had been stored before, and is sent to nobody again' }),
    }),
  },
  'new-message': {
    description:
      'A message of a conversation, for every session of its members but the one that sent it. Within a conversation they come in the order of their seqIds.',
    data: Message,
  },
  'message-read': {
    description:
      'A member has read up to seqId, by marking or by sending: for those whose messages were newly read, and for the reader’s other sessions.',
    data: Type.Object({ conversationId: id, userId: id, seqId }),
  },
  'message-recalled': {
    description:
      'A message was recalled, for every member. Its seqId stays, its content is empty from now on.',
    data: Type.Object({
      conversationId: id,
      messageId: Type.Integer(),
      seqId,
      by: Type.String({ description: 'Who did it; "0" when the operators did' }),
    }),
  },
  'typing-indicator': {
    description: 'A member is typing, for the other members of conversations of up to 500.',
    data: Type.Object({ conversationId: id, userId: id }),
  },
  'online-status': {
    description:
      'A friend came online, or went offline: told once nothing of the friend has come back within 30 s.',
    data: Type.Object({
      userId: id,
      status: Type.Union([Type.Literal('online'), Type.Literal('offline')]),
      lastActiveAt: time,
    }),
  },
  'friend-request': {
    description: 'Somebody asks the user to become friends.',
    data: Type.Object({ request: FriendRequest }),
  },
  'friend-request-handled': {
    description:
      'A friend request was accepted, rejected, withdrawn, or expired, for both sides; with the conversation when it was accepted.',
    data: Type.Object({ request: FriendRequest, conversation: Type.Optional(Conversation) }),
  },
  'conversation-created': {
    description: 'A conversation began, for each of its first members, as the member sees it.',
    data: Type.Object({ conversation: Conversation }),
  },
  'conversation-updated': {
    description:
      'A conversation changed, for every member, without the fields that differ by member; or what the member is or chose in it, for the member alone, with these fields.',
    data: Type.Object({ conversation: Type.Object({ ...own, ...personal }) }),
  },
  'conversation-dissolved': {
    description: 'A group is gone, for all who were members.',
    data: Type.Object({ conversationId: id }),
  },
  'member-added': {
    description:
      'Members joined, for every member. To a new member it comes before anything else of the conversation.',
    data: Type.Object({ conversationId: id, members: Type.Array(Member) }),
  },
  'member-removed': {
    description:
      'Members left or were removed, for the members and, as the last thing of the conversation, for those removed.',
    data: Type.Object({
      conversationId: id,
      userIds: Type.Array(id),
      by: Type.String({ description: 'Who did it; the same user when the member left' }),
    }),
  },
  pong: { description: 'Answers ping.' },
  error: {
    description: 'A frame of this session was refused.',
    data: Type.Object({
      code: Type.Unsafe<Code>({ type: 'string', description: 'As in REST’s problem documents' }),
      message: Type.String({ description: 'Why, for people' }),
      clientMsgId: Type.Optional(Type.String({ description: 'Of the message that was refused' })),
      retryable: Type.Boolean({ description: 'Whether the same frame may be sent again' }),
    }),
  },
} as const satisfies Record<string, FrameKind>;

/** Every frame that a client may send, by its type. The gateway checks what comes against these. */
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
      'Tells the other members that the user is typing; more than one in two seconds is passed over.',
    data: Type.Object({ conversationId: fields.id }),
  },
  ping: { description: 'Keeps the session alive: send one every heartbeatMs. Answered by pong.' },
} as const satisfies Record<string, FrameKind>;

type DataOf<Kind> = Kind extends { data: infer Schema extends TSchema } ? Static<Schema> : undefined;

/** The `data` of each type of frame; undefined where it has none. */
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

/** A frame that a server sends, of any type or of the chosen ones. `type` tells which `data` it has. */
export type ServerFrame<Chosen extends ServerFrameType = ServerFrameType> = FramesOf<ServerFrameData, Chosen>;
/** A frame that a client sends. */
export type ClientFrame<Chosen extends ClientFrameType = ClientFrameType> = FramesOf<ClientFrameData, Chosen>;
