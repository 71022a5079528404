import type { FastifyPluginAsyncTypebox } from '@fastify/type-provider-typebox';
import Type from 'typebox';
import { checkUserId } from '../../../../lib/domain/id-checks.ts';
import type { LogicClient } from '../../../../lib/grpc/clients.ts';
import { toUser, User } from '../../../../lib/wire/user.ts';
import * as fields from '../../validation/fields.ts';
import { nextCursor, pagingFields, pagingOf } from '../../validation/paging.ts';
import { answer, nothing } from '../answers/schemas.ts';
import { callerOf } from '../plugins/authenticate.ts';

const tags = ['Blocks'];
const params = Type.Object({ userId: fields.pathUserId });

export const blockRoutes: FastifyPluginAsyncTypebox<{ friends: LogicClient['friends'] }> = async (
  app,
  { friends },
) => {
  app.get(
    '/blocks',
    {
      schema: {
        operationId: 'listBlocks',
        tags,
        summary: 'List the users you have blocked',
        description: 'The latest block comes first.',
        querystring: Type.Object(pagingFields),
        response: { 200: answer({ users: Type.Array(User), nextCursor }) },
      },
    },
    async (request) => {
      const page = await friends.listBlocks({
        userId: callerOf(request).userId,
        ...pagingOf(request.query),
      });
      return { users: page.users.map(toUser), nextCursor: page.nextCursor };
    },
  );

  app.put(
    '/blocks/:userId',
    {
      schema: {
        operationId: 'blockUser',
        tags,
        summary: 'Block a user',
        description:
          'Ends a friendship and a pending friend request, and refuses messages of your single conversation both ways.',
        errors: ['USER_NOT_FOUND'],
        params,
        response: { 204: nothing },
      },
    },
    async (request, reply) => {
      const blockedId = checkUserId(request.params.userId);
      await friends.blockUser({ userId: callerOf(request).userId, blockedId });
      return reply.code(204).send();
    },
  );

  app.delete(
    '/blocks/:userId',
    {
      schema: {
        operationId: 'unblockUser',
        tags,
        summary: 'Unblock a user',
        description: 'The friendship that the block ended is not restored.',
        errors: ['USER_NOT_FOUND'],
        params,
        response: { 204: nothing },
      },
    },
    async (request, reply) => {
      const blockedId = checkUserId(request.params.userId);
      await friends.unblockUser({ userId: callerOf(request).userId, blockedId });
      return reply.code(204).send();
    },
  );
};
