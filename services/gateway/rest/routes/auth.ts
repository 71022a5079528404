import type { FastifyPluginAsyncTypebox } from '@fastify/type-provider-typebox';
import type { FastifyRequest } from 'fastify';
import Type from 'typebox';
import { countedAddress } from '../../../../lib/client-address.ts';
import { codeOf, GoChatError } from '../../../../lib/errors.ts';
import type { LogicClient } from '../../../../lib/grpc/clients.ts';
import { required } from '../../../../lib/wire/required.ts';
import type { RevokedSessions } from '../../access/revoked-sessions.ts';
import type { RateLimit } from '../../limits/rate-limit.ts';
import type { SignInLimits } from '../../limits/sign-in-limits.ts';
import * as fields from '../../validation/fields.ts';
import { nextCursor, pagingFields, pagingOf } from '../../validation/paging.ts';
import { passwordDeadline } from '../answers/deadlines.ts';
import {
  answer,
  LoginSession,
  named,
  nothing,
  Session,
  toLoginSession,
  toSession,
} from '../answers/schemas.ts';
import { callerOf } from '../plugins/authenticate.ts';

const tags = ['Accounts'];
/** Long enough to fetch the keys of an identity provider twice. */
const exchangeDeadline = { deadlineMs: 15_000 };
/** No refresh token is longer. */
const maxRefreshTokenLength = 4096;
/** Some identity providers put many claims into a token, so it can be long. */
const maxExternalTokenLength = 16_384;

/** Accounts, tokens and login sessions. */
export const authRoutes: FastifyPluginAsyncTypebox<{
  auth: LogicClient['auth'];
  revoked: RevokedSessions;
  registrations: RateLimit;
  signIns: SignInLimits;
}> = async (app, { auth, revoked, registrations, signIns }) => {
  app.post(
    '/auth/register',
    {
      config: { public: true },
      schema: {
        operationId: 'register',
        tags,
        summary: 'Create an account',
        description: 'A password that many people use, or that equals the username, is refused.',
        errors: ['USERNAME_TAKEN'],
        body: Type.Object({
          username: fields.username,
          password: fields.password,
          avatarUrl: Type.Optional(fields.avatarUrl),
        }),
        response: { 201: named(Session) },
      },
    },
    async (request, reply) => {
      registrations.take(countedAddress(request.ip));
      const { username, password, avatarUrl = '' } = request.body;
      const { session } = await auth.register(
        { username, password, avatarUrl, client: clientOf(request) },
        passwordDeadline,
      );
      return reply.code(201).send(toSession(required(session)));
    },
  );

  app.post(
    '/auth/login',
    {
      config: { public: true },
      schema: {
        operationId: 'login',
        tags,
        summary: 'Sign in with username and password',
        errors: ['UNAUTHENTICATED'],
        body: Type.Object({ username: fields.anyUsername, password: fields.anyPassword }),
        response: { 200: named(Session) },
      },
    },
    async (request) => {
      const { username, password } = request.body;
      const { session } = await signIns.password({ username }, request.ip, () =>
        auth.login({ username, password, client: clientOf(request) }, passwordDeadline),
      );
      return toSession(required(session));
    },
  );

  app.post(
    '/auth/exchange',
    {
      config: { public: true },
      schema: {
        operationId: 'exchangeToken',
        tags,
        summary: 'Sign in with a token of your identity provider',
        description:
          'The first sign-in creates the account, each one updates its profile from the token. The answer is 503 while ' +
          'the keys of the identity provider cannot be fetched.',
        errors: ['UNAUTHENTICATED'],
        body: Type.Object({ token: fields.externalToken }),
        response: { 200: named(Session) },
      },
    },
    async (request) => {
      const { token } = request.body;
      const { session } = await signIns.token(request.ip, async () => {
        refuseLength(token, maxExternalTokenLength);
        return auth.exchangeToken({ token, client: clientOf(request) }, exchangeDeadline);
      });
      return toSession(required(session));
    },
  );

  app.post(
    '/auth/guest',
    {
      config: { public: true },
      schema: {
        operationId: 'createGuest',
        tags,
        summary: 'Create a guest account',
        description: 'A guest can talk, but not create groups, until it is upgraded. No body is needed.',
        body: Type.Union([Type.Object({}), Type.Null()]),
        response: { 201: named(Session) },
      },
    },
    async (request, reply) => {
      registrations.take(countedAddress(request.ip));
      const { session } = await auth.guestLogin({ client: clientOf(request) });
      return reply.code(201).send(toSession(required(session)));
    },
  );

  app.post(
    '/auth/upgrade',
    {
      schema: {
        operationId: 'upgradeGuest',
        tags,
        summary: 'Turn a guest into a registered user',
        description: 'The user keeps its id. All its sessions end; the answer is a new one.',
        errors: ['PERMISSION_DENIED', 'USERNAME_TAKEN'],
        body: Type.Object({ username: fields.username, password: fields.password }),
        response: { 200: named(Session) },
      },
    },
    async (request) => {
      const { userId, sessionId } = callerOf(request);
      const { username, password } = request.body;
      const { session, revokedSessionIds } = await auth.upgradeGuest(
        { userId, sessionId, username, password, client: clientOf(request) },
        passwordDeadline,
      );
      revoked.add(revokedSessionIds);
      return toSession(required(session));
    },
  );

  app.put(
    '/auth/password',
    {
      schema: {
        operationId: 'changePassword',
        tags,
        summary: 'Change your password',
        description: 'All your other sessions end.',
        errors: ['PERMISSION_DENIED'],
        body: Type.Object({ oldPassword: fields.anyPassword, newPassword: fields.password }),
        response: { 204: nothing },
      },
    },
    async (request, reply) => {
      const { userId, sessionId } = callerOf(request);
      const { oldPassword, newPassword } = request.body;
      const { revokedSessionIds } = await signIns.password({ userId }, request.ip, () =>
        auth.changePassword(
          { userId, sessionId, oldPassword, newPassword, client: clientOf(request) },
          passwordDeadline,
        ),
      );
      revoked.add(revokedSessionIds);
      return reply.code(204).send();
    },
  );

  app.get(
    '/auth/sessions',
    {
      schema: {
        operationId: 'listSessions',
        tags,
        summary: 'List your sessions',
        description: 'The newest sign-in comes first.',
        querystring: Type.Object(pagingFields),
        response: { 200: answer({ sessions: Type.Array(LoginSession), nextCursor }) },
      },
    },
    async (request) => {
      const { userId, sessionId } = callerOf(request);
      const page = await auth.listSessions({ userId, ...pagingOf(request.query) });
      const sessions = page.sessions.map((session) => toLoginSession(session, sessionId));
      return { sessions, nextCursor: page.nextCursor };
    },
  );

  app.delete(
    '/auth/sessions/:sessionId',
    {
      schema: {
        operationId: 'revokeSession',
        tags,
        summary: 'End one of your sessions',
        description:
          'Its tokens stop working and its sockets close. An id that names none of your sessions changes nothing.',
        params: Type.Object({ sessionId: fields.pathSessionId }),
        response: { 204: nothing },
      },
    },
    async (request, reply) => {
      const { sessionId } = request.params;
      await auth.revokeSession({ userId: callerOf(request).userId, sessionId });
      // Ask logic which sessions are revoked: the id may name another user's session, which is not revoked.
      await revoked.refresh();
      return reply.code(204).send();
    },
  );

  app.post(
    '/auth/refresh',
    {
      config: { public: true },
      schema: {
        operationId: 'refreshTokens',
        tags,
        summary: 'Exchange a refresh token for new tokens',
        description:
          'Each refresh token works once. One that is used again later than 20 seconds after its exchange ends its session.',
        errors: ['UNAUTHENTICATED'],
        body: Type.Object({ refreshToken: fields.refreshToken }),
        response: { 200: named(Session) },
      },
    },
    async (request) => {
      try {
        const { refreshToken } = request.body;
        const { session } = await signIns.token(request.ip, async () => {
          refuseLength(refreshToken, maxRefreshTokenLength);
          return auth.refreshToken({ refreshToken });
        });
        return toSession(required(session));
      } catch (error) {
        // A reused refresh token has just revoked its session: refuse its access tokens without waiting for the poll.
        if (codeOf(error) === 'UNAUTHENTICATED') await revoked.refresh();
        throw error;
      }
    },
  );

  app.post(
    '/auth/logout',
    {
      schema: {
        operationId: 'logout',
        tags,
        summary: 'End this session',
        description: 'Its tokens stop working and its sockets close.',
        response: { 204: nothing },
      },
    },
    async (request, reply) => {
      const { userId, sessionId } = callerOf(request);
      await auth.logout({ userId, sessionId });
      revoked.add([sessionId]);
      return reply.code(204).send();
    },
  );
};

/** Refuses a text that cannot be a token, without asking logic. */
function refuseLength(token: string, longest: number): void {
  if (token === '' || token.length > longest) {
    throw new GoChatError('UNAUTHENTICATED', 'The token is not valid.');
  }
}

/** The client of a sign-in, as the list of sessions shows it. */
const clientOf = (request: FastifyRequest) => ({
  userAgent: (request.headers['user-agent'] ?? '').slice(0, 200),
  address: request.ip,
});
