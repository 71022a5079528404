// Room: the shapes of REST answers, cached pages, and the answers to repeated requests. It contains no route and no
// plugin.

import type { FastifyInstance } from 'fastify';
import Type, { type TProperties, type TSchema } from 'typebox';
import type { Session as ProtoSession } from '../../../../lib/gen/im_logic/v1/auth.ts';
import type { LoginSession as ProtoLoginSession } from '../../../../lib/gen/im_repo/v1/user.ts';
import { Conversation, Member } from '../../../../lib/wire/conversation.ts';
import { File } from '../../../../lib/wire/file.ts';
import { Message, Sender } from '../../../../lib/wire/message.ts';
import { FriendRequest, FriendView, toUser, User, UserView } from '../../../../lib/wire/user.ts';
import { UserSettings } from '../../../../lib/wire/user-settings.ts';
import { Problem } from '../../problems/problem.ts';

export const Session = Type.Object(
  {
    user: User,
    accessToken: Type.String({ description: 'Goes into the Authorization header of other calls' }),
    refreshToken: Type.String({ description: 'Works once, in POST /auth/refresh' }),
    expiresIn: Type.Integer({ description: 'Seconds until the access token expires' }),
    sessionId: Type.String(),
  },
  { $id: 'Session' },
);

export function toSession(session: ProtoSession) {
  if (!session.user) throw new Error('a session came without its user');
  return {
    user: toUser(session.user),
    accessToken: session.accessToken,
    refreshToken: session.refreshToken,
    expiresIn: session.expiresIn,
    sessionId: session.sessionId,
  };
}

export const LoginSession = Type.Object(
  {
    id: Type.String(),
    createdAt: Type.Integer({ description: 'Unix milliseconds' }),
    lastUsedAt: Type.Integer({ description: 'Unix milliseconds' }),
    expiresAt: Type.Integer({ description: 'Unix milliseconds' }),
    userAgent: Type.String(),
    address: Type.String(),
    current: Type.Boolean({ description: 'The session that sends this request' }),
  },
  { $id: 'LoginSession' },
);

export const toLoginSession = (session: ProtoLoginSession, currentId: string) => ({
  id: session.id,
  createdAt: session.createdAt,
  lastUsedAt: session.lastUsedAt,
  expiresAt: session.expiresAt,
  userAgent: session.userAgent,
  address: session.address,
  current: session.id === currentId,
});

const shared = [
  Sender,
  File,
  User,
  UserView,
  UserSettings,
  FriendRequest,
  FriendView,
  Message,
  Conversation,
  Member,
  Session,
  LoginSession,
  Problem,
] as const;

/** Registers the shared shapes by name, for the routes and the OpenAPI document. */
export function addSharedSchemas(app: FastifyInstance): void {
  for (const schema of shared) app.addSchema({ ...(byName(schema, true) as object), $id: idOf(schema) });
}

/** A reference to a shared shape for a route's schema, with the TypeScript type of the shape. */
export const named = <T extends TSchema>(schema: T): T => byName(schema, false) as T;

/** The schema of an answer, in which shared shapes are references. */
export const answer = <P extends TProperties>(properties: P, description?: string) => {
  const whole = Type.Object(properties, description === undefined ? {} : { description });
  return byName(whole, false) as typeof whole;
};

/** The schema of an answer without a body. */
export const nothing = Type.Unsafe<undefined>({ type: 'null', description: 'Done; the answer has no body' });

/** The schema of a 304 answer: the client holds the page already. */
export const notModified = Type.Unsafe<undefined>({
  type: 'null',
  description: 'The page is unchanged: If-None-Match names its ETag',
});

const idOf = (schema: object): string | undefined =>
  '$id' in schema && typeof schema.$id === 'string' ? schema.$id : undefined;

/** Replaces the named schemas inside a schema by references, and also the schema itself unless it is the definition. */
function byName(schema: unknown, isDefinition: boolean): unknown {
  if (Array.isArray(schema)) return schema.map((part) => byName(part, false));
  if (schema === null || typeof schema !== 'object') return schema;
  const id = idOf(schema);
  if (id !== undefined && !isDefinition) return { $ref: `${id}#` };
  return Object.fromEntries(Object.entries(schema).map(([key, part]) => [key, byName(part, false)]));
}
