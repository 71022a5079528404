import type { FastifyPluginAsyncTypebox } from '@fastify/type-provider-typebox';
import Type from 'typebox';
import { checkConversationId, checkUserId, checkUserIds } from '../../../../lib/domain/id-checks.ts';
import type { LogicClient } from '../../../../lib/grpc/clients.ts';
import { Member, toMember } from '../../../../lib/wire/conversation.ts';
import { required } from '../../../../lib/wire/required.ts';
import * as fields from '../../validation/fields.ts';
import { nextCursor, pagingFields, pagingOf } from '../../validation/paging.ts';
import { flowDeadline } from '../answers/deadlines.ts';
import { refusedPart, refusedUsers } from '../answers/refused-users.ts';
import { replayFirst } from '../answers/replay.ts';
import { answer, nothing } from '../answers/schemas.ts';
import { callerOf } from '../plugins/authenticate.ts';
import { accessErrors, conversationParams } from './conversation-paths.ts';

const tags = ['Members'];
const memberParams = Type.Object({ id: fields.pathConversationId, userId: fields.pathUserId });
/** Error codes for a conversation that does not exist, of which the caller is no member, or that it may not change. */
const memberErrors = [...accessErrors, 'PERMISSION_DENIED'] as const;

export const memberRoutes: FastifyPluginAsyncTypebox<{
  conversations: LogicClient['conversations'];
}> = async (app, { conversations }) => {
  app.get(
    '/conversations/:id/members',
    {
      schema: {
        operationId: 'listMembers',
        tags,
        summary: 'List the members of a conversation',
        description: 'Nobody can list the members of the world room.',
        errors: memberErrors,
        params: conversationParams,
        querystring: Type.Object(pagingFields),
        response: { 200: answer({ members: Type.Array(Member), hasMore: Type.Boolean(), nextCursor }) },
      },
    },
    async (request) => {
      const page = await conversations.getMembers({
        userId: callerOf(request).userId,
        conversationId: checkConversationId(request.params.id),
        ...pagingOf(request.query),
      });
      const { hasMore, nextCursor } = page;
      return { members: page.members.map(toMember), hasMore, nextCursor };
    },
  );

  app.post(
    '/conversations/:id/members',
    {
      config: { replay: replayFirst },
      schema: {
        operationId: 'addMembers',
        tags,
        summary: 'Add members to a group',
        description:
          'The owner and admins may; all members may where settings.inviteBy is "members". ' +
          'Users who take invitations from friends only are named in refused.',
        errors: [...memberErrors, 'BLOCKED', 'USER_NOT_FOUND', 'GROUP_FULL'],
        params: conversationParams,
        bodyRules: { properties: { userIds: { minItems: 1 } } },
        body: Type.Object({ userIds: fields.ids }),
        response: {
          200: answer({
            added: Type.Array(fields.id),
            alreadyMembers: Type.Array(fields.id, { examples: [[]] }),
            refused: Type.Optional(refusedUsers),
          }),
        },
      },
    },
    async (request) => {
      const { added, alreadyMembers, refused } = await conversations.addMembers(
        {
          userId: callerOf(request).userId,
          conversationId: checkConversationId(request.params.id),
          memberIds: checkUserIds(request.body.userIds),
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
        operationId: 'removeMember',
        tags,
        summary: 'Remove a member or leave a group',
        description: 'The owner and admins may remove members of a lower role. Name yourself to leave.',
        errors: [...memberErrors, 'USER_NOT_FOUND'],
        params: memberParams,
        response: { 204: nothing },
      },
    },
    async (request, reply) => {
      await conversations.removeMembers(
        {
          userId: callerOf(request).userId,
          conversationId: checkConversationId(request.params.id),
          memberIds: [checkUserId(request.params.userId)],
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
        operationId: 'updateMember',
        tags,
        summary: 'Change a member’s role or mute a member',
        description:
          'The owner gives roles. The owner and admins mute members of a lower role. One of the two is needed.',
        errors: [...memberErrors, 'USER_NOT_FOUND'],
        params: memberParams,
        bodyRules: [{ required: ['role'] }, { required: ['muted'] }],
        body: Type.Object({
          role: Type.Optional(fields.oneOf([1, 2], '1 member, 2 admin')),
          muted: Type.Optional(Type.Boolean({ examples: [true] })),
        }),
        response: { 200: answer({ member: Member }) },
      },
    },
    async (request) => {
      const { member } = await conversations.updateMember({
        userId: callerOf(request).userId,
        conversationId: checkConversationId(request.params.id),
        memberId: checkUserId(request.params.userId),
        role: request.body.role,
        muted: request.body.muted,
      });
      return { member: toMember(required(member)) };
    },
  );
};
