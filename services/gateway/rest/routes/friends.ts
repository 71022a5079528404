import type { FastifyPluginAsyncTypebox } from '@fastify/type-provider-typebox';
import Type from 'typebox';
import { checkUserId } from '../../../../lib/domain/id-checks.ts';
import type { LogicClient } from '../../../../lib/grpc/clients.ts';
import { required } from '../../../../lib/wire/required.ts';
import { FriendView, toFriend } from '../../../../lib/wire/user.ts';
import * as fields from '../../validation/fields.ts';
import { nextCursor, pagingFields, pagingOf } from '../../validation/paging.ts';
import { answer, named, nothing } from '../answers/schemas.ts';
import { callerOf } from '../plugins/authenticate.ts';

const tags = ['Friends'];
const params = Type.Object({ userId: fields.pathUserId });

export const friendRoutes: FastifyPluginAsyncTypebox<{ friends: LogicClient['friends'] }> = async (
  app,
  { friends },
) => {
  app.get(
    '/friends',
    {
      schema: {
        operationId: 'listFriends',
        tags,
        summary: 'List your friends',
        description: 'With their presence, as far as they show it.',
        querystring: Type.Object(pagingFields),
        response: { 200: answer({ friends: Type.Array(FriendView), nextCursor }) },
      },
    },
    async (request) => {
      const page = await friends.getFriends({
        userId: callerOf(request).userId,
        ...pagingOf(request.query),
      });
      return { friends: page.friends.map(toFriend), nextCursor: page.nextCursor };
    },
  );

  app.put(
    '/friends/:userId',
    {
      schema: {
        operationId: 'updateFriend',
        tags,
        summary: 'Set a friend’s remark',
        description: 'A name or note of yours for a friend; only you see it. Empty: none.',
        errors: ['NOT_FRIENDS', 'USER_NOT_FOUND'],
        params,
        body: Type.Object({ remark: fields.remark }),
        response: { 200: named(FriendView) },
      },
    },
    async (request) => {
      const { friend } = await friends.updateFriend({
        userId: callerOf(request).userId,
        friendId: checkUserId(request.params.userId),
        remark: request.body.remark,
      });
      return toFriend(required(friend));
    },
  );

  app.delete(
    '/friends/:userId',
    {
      schema: {
        operationId: 'deleteFriend',
        tags,
        summary: 'End a friendship',
        description:
          'The conversation stays readable and refuses new messages. It is no error if you are not friends.',
        errors: ['USER_NOT_FOUND'],
        params,
        response: { 204: nothing },
      },
    },
    async (request, reply) => {
      const friendId = checkUserId(request.params.userId);
      await friends.deleteFriend({ userId: callerOf(request).userId, friendId });
      return reply.code(204).send();
    },
  );
};
