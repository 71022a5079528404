import type { FastifyPluginAsyncTypebox } from '@fastify/type-provider-typebox';
import Type from 'typebox';
import { checkUserId } from '../../../../lib/domain/id-checks.ts';
import { limits } from '../../../../lib/domain/limits.ts';
import { groupInviteChoices, lastSeenChoices } from '../../../../lib/domain/user-settings.ts';
import type { LogicClient } from '../../../../lib/grpc/clients.ts';
import { required } from '../../../../lib/wire/required.ts';
import { toUser, User, UserView } from '../../../../lib/wire/user.ts';
import { toUserSettings, UserSettings } from '../../../../lib/wire/user-settings.ts';
import type { RevokedSessions } from '../../access/revoked-sessions.ts';
import type { SignInLimits } from '../../limits/sign-in-limits.ts';
import * as fields from '../../validation/fields.ts';
import { erasureDeadline } from '../answers/deadlines.ts';
import { answer, named, nothing } from '../answers/schemas.ts';
import { callerOf } from '../plugins/authenticate.ts';

const tags = ['Users'];

/** Profiles, settings, search, and the erasure of accounts. */
export const userRoutes: FastifyPluginAsyncTypebox<{
  users: LogicClient['users'];
  revoked: Pick<RevokedSessions, 'refresh'>;
  signIns: SignInLimits;
}> = async (app, { users, revoked, signIns }) => {
  app.get(
    '/users/profile',
    {
      schema: {
        operationId: 'getProfile',
        tags,
        summary: 'Get your profile',
        response: { 200: named(User) },
      },
    },
    async (request) => toUser(required((await users.getUser({ userId: callerOf(request).userId })).user)),
  );

  app.put(
    '/users/profile',
    {
      schema: {
        operationId: 'updateProfile',
        tags,
        summary: 'Change your profile',
        description: 'What is left out stays as it is.',
        body: Type.Object({
          avatarUrl: Type.Optional(fields.avatarUrl),
          displayName: Type.Optional(fields.displayName),
        }),
        response: { 200: named(User) },
      },
    },
    async (request) => {
      const { avatarUrl, displayName } = request.body;
      const { user } = await users.updateProfile({
        userId: callerOf(request).userId,
        avatarUrl,
        displayName,
      });
      return toUser(required(user));
    },
  );

  app.delete(
    '/users/profile',
    {
      schema: {
        operationId: 'deleteAccount',
        tags,
        summary: 'Erase your account',
        description:
          'All your sessions end at once; the rest is erased soon after. An account with a password needs it here.',
        errors: ['PERMISSION_DENIED'],
        body: Type.Union([
          Type.Object({
            password: Type.Optional(fields.anyPassword),
            redactMessages: Type.Optional(
              Type.Boolean({
                default: true,
                description:
                  'Whether everything that you wrote becomes empty and counts as recalled; members learn of it by POST /sync. ' +
                  'False: it stays, under the name of a deleted user.',
              }),
            ),
          }),
          Type.Null(),
        ]),
        response: { 202: nothing },
      },
    },
    async (request, reply) => {
      const { userId } = callerOf(request);
      const { password = '', redactMessages } = request.body ?? {};
      await signIns.password({ userId }, request.ip, () =>
        users.deleteAccount({ userId, password, address: request.ip, redactMessages }, erasureDeadline),
      );
      await revoked.refresh();
      return reply.code(202).send();
    },
  );

  app.get(
    '/users/settings',
    {
      schema: {
        operationId: 'getSettings',
        tags,
        summary: 'Get your settings',
        response: { 200: named(UserSettings) },
      },
    },
    async (request) => {
      const { settings } = await users.getSettings({ userId: callerOf(request).userId });
      return toUserSettings(required(settings));
    },
  );

  app.put(
    '/users/settings',
    {
      schema: {
        operationId: 'updateSettings',
        tags,
        summary: 'Change your settings',
        description: 'What is left out stays as it is.',
        body: Type.Object({
          groupInvites: Type.Optional(fields.oneOf(groupInviteChoices)),
          lastSeen: Type.Optional(fields.oneOf(lastSeenChoices)),
          readReceipts: Type.Optional(Type.Boolean()),
          locale: Type.Optional(fields.locale),
        }),
        response: { 200: named(UserSettings) },
      },
    },
    async (request) => {
      const { groupInvites, lastSeen, readReceipts, locale } = request.body;
      const { userId } = callerOf(request);
      const { settings } = await users.updateSettings({
        userId,
        groupInvites,
        lastSeen,
        readReceipts,
        locale,
      });
      return toUserSettings(required(settings));
    },
  );

  app.get(
    '/users/search',
    {
      schema: {
        operationId: 'searchUsers',
        tags,
        summary: 'Search users by username',
        description: 'Finds usernames that contain the text or resemble it.',
        querystring: Type.Object({ q: fields.searchText, limit: fields.limit(limits.searchResults) }),
        response: { 200: answer({ users: Type.Array(User) }) },
      },
    },
    async (request) => {
      const { q, limit = 20 } = request.query;
      const found = await users.searchUsers({ query: q, limit });
      return { users: found.users.map(toUser) };
    },
  );

  app.get(
    '/users/:userId',
    {
      schema: {
        operationId: 'getUser',
        tags,
        summary: 'Get a user',
        description: 'With the presence of a user who shows it to everyone.',
        errors: ['USER_NOT_FOUND'],
        params: Type.Object({ userId: fields.pathUserId }),
        response: { 200: named(UserView) },
      },
    },
    async (request) => {
      const { user, presence } = await users.getUser({
        userId: checkUserId(request.params.userId),
        viewerId: callerOf(request).userId,
      });
      return { ...toUser(required(user)), ...presence };
    },
  );
};
