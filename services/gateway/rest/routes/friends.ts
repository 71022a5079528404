import type { FastifyPluginAsyncTypebox } from '@fastify/type-provider-typebox';
import Type from 'typebox';
import type { LogicClient } from '../../../../lib/grpc/clients.ts';
import { required } from '../../../../lib/wire/required.ts';
import { FriendView, toFriend } from '../../../../lib/wire/user.ts';
import * as fields from '../../validation/fields.ts';
import * as ids from '../../validation/ids.ts';
import { nextCursor, pagingFields, pagingOf } from '../../validation/paging.ts';
import { answer, named, nothing } from '../answers/schemas.ts';
import { callerOf } from '../plugins/authenticate.ts';

const tags = ['Friends'];
const params = Type.Object({ userId: Type.String() });

export const friendRoutes: FastifyPluginAsyncTypebox<{ friends: LogicClient['friends'] }> = async (
  app,
  { friends },
) => {
  app.get(
    '/friends',
    {
      schema: {
        tags,
        summary: 'Friends with their presence',
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
        tags,
        summary: 'Call a friend by a name of one’s own',
        params,
        body: Type.Object({ remark: fields.remark }),
        response: { 200: named(FriendView) },
      },
    },
    async (request) => {
      const { friend } = await friends.updateFriend({
        userId: callerOf(request).userId,
        friendId: ids.userId(request.params.userId),
        remark: request.body.remark,
      });
      return toFriend(required(friend));
    },
  );

  app.delete(
    '/friends/:userId',
    { schema: { tags, summary: 'End a friendship', params, response: { 204: nothing } } },
    async (request, reply) => {
      const friendId = ids.userId(request.params.userId);
      await friends.deleteFriend({ userId: callerOf(request).userId, friendId });
      return reply.code(204).send();
    },
  );
};
