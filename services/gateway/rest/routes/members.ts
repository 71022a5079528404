import type { FastifyPluginAsyncTypebox } from '@fastify/type-provider-typebox';
import Type from 'typebox';
import type { LogicClient } from '../../../../lib/grpc/clients.ts';
import { Member, toMember } from '../../../../lib/wire/conversation.ts';
import { required } from '../../../../lib/wire/required.ts';
import * as fields from '../../validation/fields.ts';
import * as ids from '../../validation/ids.ts';
import { nextCursor, pagingFields, pagingOf } from '../../validation/paging.ts';
import { flowDeadline } from '../answers/deadlines.ts';
import { refusedPart, refusedUsers } from '../answers/refused-users.ts';
import { asItWas } from '../answers/replay.ts';
import { answer, nothing } from '../answers/schemas.ts';
import { callerOf } from '../plugins/authenticate.ts';

const tags = ['Members'];
const params = Type.Object({ id: Type.String() });
const memberParams = Type.Object({ id: Type.String(), userId: Type.String() });

export const memberRoutes: FastifyPluginAsyncTypebox<{
  conversations: LogicClient['conversations'];
}> = async (app, { conversations }) => {
  app.get(
    '/conversations/:id/members',
    {
      schema: {
        tags,
        summary: 'The members of a conversation',
        params,
        querystring: Type.Object(pagingFields),
        response: { 200: answer({ members: Type.Array(Member), hasMore: Type.Boolean(), nextCursor }) },
      },
    },
    async (request) => {
      const page = await conversations.getMembers({
        userId: callerOf(request).userId,
        conversationId: ids.conversationId(request.params.id),
        ...pagingOf(request.query),
      });
      const { hasMore, nextCursor } = page;
      return { members: page.members.map(toMember), hasMore, nextCursor };
    },
  );

  app.post(
    '/conversations/:id/members',
    {
      config: { replay: asItWas },
      schema: {
        tags,
        summary: 'Add members to a group',
        params,
        body: Type.Object({ userIds: fields.ids }),
        response: {
          200: answer({
            added: Type.Array(Type.String()),
            alreadyMembers: Type.Array(Type.String()),
            refused: Type.Optional(refusedUsers),
          }),
        },
      },
    },
    async (request) => {
      const { added, alreadyMembers, refused } = await conversations.addMembers(
        {
          userId: callerOf(request).userId,
          conversationId: ids.conversationId(request.params.id),
          memberIds: ids.userIds(request.body.userIds),
          idempotencyKey: request.claim?.key ?? '',
        },
        flowDeadline,
      );
      return { added, alreadyMembers, ...refusedPart(refused) };
    },
  );

  app.delete(
    '/conversations/:id/members/:userId',
    {
      schema: {
        tags,
        summary: 'Remove a member, or leave',
        params: memberParams,
        response: { 204: nothing },
      },
    },
    async (request, reply) => {
      await conversations.removeMembers(
        {
          userId: callerOf(request).userId,
          conversationId: ids.conversationId(request.params.id),
          memberIds: [ids.userId(request.params.userId)],
          idempotencyKey: '',
        },
        flowDeadline,
      );
      return reply.code(204).send();
    },
  );

  app.patch(
    '/conversations/:id/members/:userId',
    {
      schema: {
        tags,
        summary: 'Change a member’s role or mute a member',
        params: memberParams,
        body: Type.Object({
          role: Type.Optional(fields.oneOf([1, 2], '1 member, 2 admin')),
          muted: Type.Optional(Type.Boolean()),
        }),
        response: { 200: answer({ member: Member }) },
      },
    },
    async (request) => {
      const { member } = await conversations.updateMember({
        userId: callerOf(request).userId,
        conversationId: ids.conversationId(request.params.id),
        memberId: ids.userId(request.params.userId),
        role: request.body.role,
        muted: request.body.muted,
      });
      return { member: toMember(required(member)) };
    },
  );
};
