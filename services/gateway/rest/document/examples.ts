import type { Static } from 'typebox';
import type { Conversation, Member } from '../../../../lib/wire/conversation.ts';
import type { File } from '../../../../lib/wire/file.ts';
import type { Message, Sender } from '../../../../lib/wire/message.ts';
import type { FriendRequest, FriendView, User, UserView } from '../../../../lib/wire/user.ts';
import type { UserSettings } from '../../../../lib/wire/user-settings.ts';
import type { LoginSession, Session } from '../answers/schemas.ts';

const createdAt = 1_793_000_000_000;
const expiresAt = createdAt + 30 * 24 * 3600 * 1000;

const ann: User = {
  id: '7301444403200001',
  username: 'ann',
  displayName: 'Ann Miller',
  avatarUrl: 'https://pictures.example/ann.png',
  isGuest: false,
  createdAt,
};
const bob: User = {
  id: '7301444403200002',
  username: 'bob',
  displayName: 'Bob',
  avatarUrl: '',
  isGuest: false,
  createdAt,
};

const sender: Static<typeof Sender> = {
  id: ann.id,
  username: ann.username,
  displayName: ann.displayName,
  avatarUrl: ann.avatarUrl,
};

const message: Message = {
  id: 7301444403300001,
  conversationId: '7301444403200007',
  seqId: 42,
  sender,
  messageType: 1,
  content: 'See you at eight.',
  clientMsgId: '0b54f6c1-5d0e-4c5b-9f3a-6a3f9f1b7a10',
  deleted: false,
  createdAt,
  changeSeq: 0,
};

const conversation: Conversation = {
  id: '7301444403200007',
  type: 2,
  name: 'Climbing',
  avatarUrl: '',
  description: 'Thursdays at the hall',
  announcement: '',
  ownerId: ann.id,
  memberCount: 2,
  role: 3,
  muted: false,
  lastSeqId: 42,
  lastChangeSeq: 3,
  lastReadSeqId: 42,
  unreadCount: 0,
  notifications: 'all',
  pinned: false,
  hidden: false,
  lastMessage: message,
  settings: { inviteBy: 'admins', muteAll: false, maxMembers: 2000 },
  createdAt,
  updatedAt: createdAt,
};

const fileUrl = '/files/7301444403200001-7301444403400001';
const file: File = {
  id: '7301444403200001-7301444403400001',
  url: `${fileUrl}?e=1793145600&s=mZ0bqTnY5c2QJ1xUo8r4Lw`,
  name: 'summit.jpg',
  size: 2_481_152,
  mime: 'image/jpeg',
  width: 4032,
  height: 3024,
  thumbnailUrl: `${fileUrl}-thumbnail?e=1793145600&s=Vb7pK1dR9hW3sEzXg6tA0Q`,
};

const member: Member = { ...bob, role: 1, muted: false, joinedAt: createdAt, lastReadSeqId: 40 };

const friendRequest: FriendRequest = {
  id: '7301444403200009',
  requester: ann,
  target: bob,
  status: 0,
  message: 'Hello Bob, it is me.',
  createdAt,
  updatedAt: createdAt,
  expiresAt,
};

const friend: FriendView = {
  ...bob,
  remark: 'Bob from work',
  online: true,
  lastActiveAt: createdAt,
  conversationId: '7301444403200008',
};

const userView: Static<typeof UserView> = { ...bob, online: true, lastActiveAt: createdAt };

const session: Static<typeof Session> = {
  user: ann,
  accessToken: 'eyJhbGciOiJFZERTQSJ9.eyJzdWIiOiI3MzAxIn0.c2lnbmF0dXJl',
  refreshToken: 'eyJhbGciOiJFZERTQSJ9.eyJzaWQiOiJiM2YwIn0.c2lnbmF0dXJl',
  expiresIn: 900,
  sessionId: 'b3f0c9a2-3b1e-4c8f-8d57-0f2f6a1f0c11',
};

const loginSession: Static<typeof LoginSession> = {
  id: session.sessionId,
  createdAt,
  lastUsedAt: createdAt,
  expiresAt,
  userAgent: 'Mozilla/5.0',
  address: '192.0.2.7',
  current: true,
};

const userSettings: UserSettings = {
  groupInvites: 'everyone',
  lastSeen: 'friends',
  readReceipts: true,
  locale: 'de-CH',
};

/** One example of each shared shape, by its name in the document. */
export const sharedExamples: Record<string, unknown> = {
  Sender: sender,
  File: file,
  User: bob,
  UserView: userView,
  UserSettings: userSettings,
  FriendRequest: friendRequest,
  Friend: friend,
  Message: message,
  Conversation: conversation,
  Member: member,
  Session: session,
  LoginSession: loginSession,
};

type Schema = {
  $ref?: string;
  type?: string;
  examples?: unknown[];
  const?: unknown;
  default?: unknown;
  enum?: unknown[];
  anyOf?: Schema[];
  properties?: Record<string, Schema>;
  required?: string[];
  items?: Schema;
  minimum?: number;
};

/**
 * Builds an example of a schema from the examples of its parts. An optional field is included only if it has an example
 * of its own.
 */
export function exampleOf(schema: Schema): unknown {
  if (schema.$ref !== undefined) return sharedExamples[schema.$ref.split('/').at(-1) ?? ''];
  if (schema.examples !== undefined) return schema.examples[0];
  if (schema.properties !== undefined) return exampleOfObject(schema.properties, schema.required ?? []);
  if (schema.anyOf?.[0] !== undefined) return exampleOf(schema.anyOf[0]);
  if (schema.items !== undefined) return [exampleOf(schema.items)];
  const fixed = schema.const ?? schema.default ?? schema.enum?.[0];
  if (fixed !== undefined) return fixed;
  switch (schema.type) {
    case 'boolean':
      return false;
    case 'integer':
      return Math.max(schema.minimum ?? 0, 1);
    case 'array':
      return [];
    case 'object':
      return {};
    default:
      return 'text';
  }
}

function exampleOfObject(properties: Record<string, Schema>, required: readonly string[]): object {
  const shown = Object.entries(properties).filter(
    ([name, field]) => required.includes(name) || field.examples !== undefined,
  );
  return Object.fromEntries(shown.map(([name, field]) => [name, exampleOf(field)]));
}
