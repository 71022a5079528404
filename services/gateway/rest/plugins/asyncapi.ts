import Type from 'typebox';
import { Conversation, Member, personalFields } from '../../../../lib/wire/conversation.ts';
import { Message } from '../../../../lib/wire/message.ts';
import { FriendRequest } from '../../../../lib/wire/user.ts';
import { clientFrames } from '../../sending/client-frames.ts';
import { closeCodes } from '../../sessions/close-codes.ts';

const id = Type.String();
const ids = Type.Array(id);
const seqId = Type.Integer();
const time = Type.Integer({ description: 'Unix milliseconds' });

const sharedOrOwn = Type.Object({
  ...Conversation.properties,
  ...Object.fromEntries(
    personalFields.map((field) => [field, Type.Optional(Conversation.properties[field])]),
  ),
});

/** What the server sends: the `data` of each frame type, and when it comes. */
const serverFrames = {
  welcome: [
    'First, once the session is registered',
    { sessionId: id, userId: id, heartbeatMs: Type.Integer() },
  ],
  'message-ack': [
    'The message is stored',
    {
      clientMsgId: id,
      conversationId: id,
      messageId: Type.Integer(),
      seqId,
      createdAt: time,
      duplicate: Type.Boolean(),
    },
  ],
  'new-message': ['A message for every other session of every member', Message.properties],
  'message-read': [
    'Somebody has read up to a seq id, by marking or by sending: for those whose messages were newly read, and the reader’s other sessions',
    { conversationId: id, userId: id, seqId },
  ],
  'message-recalled': [
    'A message was recalled; by is 0 when the operators did it',
    { conversationId: id, messageId: Type.Integer(), seqId, by: id },
  ],
  'typing-indicator': ['Somebody is typing', { conversationId: id, userId: id }],
  'online-status': [
    'A friend came online or went offline',
    { userId: id, status: Type.Union([Type.Literal('online'), Type.Literal('offline')]), lastActiveAt: time },
  ],
  'friend-request': ['Somebody asks to become friends', { request: FriendRequest }],
  'friend-request-handled': [
    'A request was answered',
    { request: FriendRequest, conversation: Type.Optional(Conversation) },
  ],
  'conversation-created': ['For every first member', { conversation: Conversation }],
  'conversation-updated': [
    'Name, picture, settings or owner changed: for every member, without what differs by member. One’s own role or ' +
      'mute changed: for oneself, with that',
    { conversation: sharedOrOwn },
  ],
  'conversation-dissolved': ['The group is gone', { conversationId: id }],
  'member-added': ['Members joined', { conversationId: id, members: Type.Array(Member) }],
  'member-removed': ['Members left or were removed', { conversationId: id, userIds: ids, by: id }],
  error: [
    'A frame was refused',
    { code: id, message: Type.String(), clientMsgId: Type.Optional(id), retryable: Type.Boolean() },
  ],
} as const;

const clientSummaries: Record<keyof typeof clientFrames, string> = {
  'send-message': 'Send a message; answered by message-ack or error',
  'mark-read': 'Move one’s read pointer forward',
  typing: 'Tell the other members that one is typing',
};

function frame(type: string, summary: string, data?: object) {
  return {
    name: type,
    title: type,
    summary,
    payload: {
      type: 'object',
      required: data ? ['type', 'data'] : ['type'],
      properties: {
        type: { const: type },
        ...(data ? { data: withoutIds(data) } : {}),
        timestamp: { type: 'integer', description: 'Unix milliseconds' },
      },
    },
  };
}

/** A copy without $id: a shape that stands in several frames must not be named in each of them. */
function withoutIds(schema: unknown): unknown {
  if (Array.isArray(schema)) return schema.map(withoutIds);
  if (schema === null || typeof schema !== 'object') return schema;
  return Object.fromEntries(
    Object.entries(schema)
      .filter(([key]) => key !== '$id')
      .map(([key, part]) => [key, withoutIds(part)]),
  );
}

const fromClient = [
  ...Object.entries(clientFrames).map(([type, data]) =>
    frame(type, clientSummaries[type as keyof typeof clientFrames], data),
  ),
  frame('ping', 'Every heartbeatMs; answered by pong'),
];
const fromServer = [
  ...Object.entries(serverFrames).map(([type, [summary, data]]) =>
    frame(type, summary, Type.Object({ ...data })),
  ),
  frame('pong', 'Answers ping'),
];

const reference = ({ name }: { name: string }) => ({ $ref: `#/channels/ws/messages/${name}` });

/** The WebSocket protocol as an AsyncAPI document. */
export const asyncapi = {
  asyncapi: '3.0.0',
  info: {
    title: 'GoChat WebSocket',
    version: '1.0.0',
    description: `One JSON object a frame: {type, data?, timestamp?}, up to 64 KiB. The access token comes as ?token= or
as the subprotocols "gochat.v1, bearer.<token>". Close codes: ${Object.values(closeCodes)
      .map(({ code, reason }) => `${code} ${reason}`)
      .join(', ')}, 1009 frame too large.
A handshake that is refused gets an HTTP status and a problem document: 401 no good token, 403 pages of this origin may not
connect, 421 another host, 429 too many sockets of the user or the address, 503 full or about to stop.`,
  },
  servers: { gateway: { host: '127.0.0.1:8080', protocol: 'ws' } },
  channels: {
    ws: {
      address: '/ws',
      messages: Object.fromEntries([...fromClient, ...fromServer].map((message) => [message.name, message])),
      bindings: {
        ws: { query: { type: 'object', properties: { token: { type: 'string' } } } },
      },
    },
  },
  operations: {
    fromClient: {
      action: 'receive',
      channel: { $ref: '#/channels/ws' },
      messages: fromClient.map(reference),
    },
    toClient: { action: 'send', channel: { $ref: '#/channels/ws' }, messages: fromServer.map(reference) },
  },
};
