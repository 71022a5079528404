// Room: the REST routes, one file per resource: each checks its input, calls im-logic and returns the answer. Rules of
// the domain belong to im-logic.

import type { FastifyPluginAsyncTypebox } from '@fastify/type-provider-typebox';
import Type from 'typebox';
import {
  conversationType,
  inviters,
  notificationChoices,
  valuesOf,
} from '../../../../lib/domain/enumerations.ts';
import { checkConversationId, checkUserId, checkUserIds } from '../../../../lib/domain/id-checks.ts';
import { limits } from '../../../../lib/domain/limits.ts';
import { invalid } from '../../../../lib/domain/refusals.ts';
import type { LogicClient } from '../../../../lib/grpc/clients.ts';
import { Conversation, toConversation, toConversationPage } from '../../../../lib/wire/conversation.ts';
import { required } from '../../../../lib/wire/required.ts';
import * as fields from '../../validation/fields.ts';
import { nextCursor, pagingFields, pagingOf } from '../../validation/paging.ts';
import { flowDeadline } from '../answers/deadlines.ts';
import type { Pages } from '../answers/pages.ts';
import { askAgain, partial, partialAnswer } from '../answers/partial.ts';
import { refusedPart, refusedUsers } from '../answers/refused-users.ts';
import { replayCurrent } from '../answers/replay.ts';
import { answer, nothing, notModified } from '../answers/schemas.ts';
import { callerOf } from '../plugins/authenticate.ts';
import { accessErrors, conversationParams } from './conversation-paths.ts';

const tags = ['Conversations'];
const oneConversation = answer({ conversation: Conversation });

/** Conversations: list, create, get, change, dissolve, mark as read, set choices, transfer the ownership. */
export const conversationRoutes: FastifyPluginAsyncTypebox<{
  conversations: LogicClient['conversations'];
  pages: Pages;
}> = async (app, { conversations, pages }) => {
  app.get(
    '/conversations',
    {
      schema: {
        operationId: 'listConversations',
        tags,
        summary: 'List your conversations',
        description: `The one that changed last comes first. Hidden ones are left out.${partialAnswer}`,
        querystring: Type.Object({
          ...pagingFields,
          updatedSince: Type.Optional(
            Type.Integer({
              ...fields.time,
              description: 'Only those that changed since, in Unix milliseconds',
            }),
          ),
        }),
        response: {
          200: answer({
            conversations: Type.Array(Conversation),
            hasMore: Type.Boolean(),
            nextCursor,
            partial,
          }),
          304: notModified,
        },
      },
    },
    async (request, reply) => {
      const { updatedSince = 0 } = request.query;
      const { limit, offset, cursor } = pagingOf(request.query);
      const { userId } = callerOf(request);
      const key = `conversations ${userId} ${limit} ${offset} ${cursor ?? ''} ${updatedSince}`;
      return pages.answer(request, reply, key, async (knownTag) => {
        const wanted = { userId, limit, offset, cursor, updatedSince, knownTag, asJson: true };
        const page = await conversations.getConversationsOptimized(wanted);
        if (page.partial) reply.headers(askAgain);
        return { ...page, body: () => toConversationPage(page) };
      });
    },
  );

  const created = replayCurrent<{ conversation: { id: string }; refused?: string[] }>(
    ({ conversation: { id }, refused }) => ({ conversation: { id }, ...(refused ? { refused } : {}) }),
    async ({ conversation: { id }, ...rest }, userId) => {
      const { conversation } = await conversations.getConversation({ userId, conversationId: id });
      return { conversation: toConversation(required(conversation)), ...rest };
    },
  );

  app.post(
    '/conversations',
    {
      config: { replay: created },
      schema: {
        operationId: 'createConversation',
        tags,
        summary: 'Open a single conversation or create a group',
        description:
          'Type 1 names one friend and answers the same conversation every time. Type 2 needs a name; you become the owner.',
        errors: [
          'GUEST_NOT_ALLOWED',
          'NOT_FRIENDS',
          'BLOCKED',
          'USER_NOT_FOUND',
          'CONVERSATION_NOT_FOUND',
          'NOT_CONVERSATION_MEMBER',
          'GROUP_FULL',
        ],
        bodyRules: [
          {
            properties: {
              type: { enum: [conversationType.single] },
              memberIds: { minItems: 1, maxItems: 1 },
            },
          },
          { properties: { type: { enum: [conversationType.group] } }, required: ['name'] },
        ],
        body: Type.Object({
          type: fields.oneOf([conversationType.single, conversationType.group], '1 single, 2 group'),
          memberIds: fields.ids,
          name: Type.Optional(fields.groupName),
          avatarUrl: Type.Optional(fields.avatarUrl),
          description: Type.Optional(fields.description),
        }),
        response: {
          201: answer({ conversation: Conversation, refused: Type.Optional(refusedUsers) }),
        },
      },
    },
    async (request, reply) => {
      const { type, name = '', avatarUrl = '', description = '' } = request.body;
      const memberIds = checkUserIds(request.body.memberIds);
      if (type === conversationType.single && memberIds.length !== 1)
        throw invalid('memberIds', 'must name one friend');
      if (type === conversationType.group && name === '') throw invalid('name', 'is required');
      const { conversation, refused } = await conversations.createConversation(
        {
          userId: callerOf(request).userId,
          type,
          memberIds,
          name,
          avatarUrl,
          description,
          idempotencyKey: request.claim?.key ?? '',
          conversationId: type === conversationType.group ? (request.claim?.resourceId ?? '') : '',
        },
        flowDeadline,
      );
      return reply
        .code(201)
        .send({ conversation: toConversation(required(conversation)), ...refusedPart(refused) });
    },
  );

  app.get(
    '/conversations/:id',
    {
      schema: {
        operationId: 'getConversation',
        tags,
        summary: 'Get a conversation',
        errors: accessErrors,
        params: conversationParams,
        response: { 200: oneConversation },
      },
    },
    async (request) => {
      const conversationId = checkConversationId(request.params.id);
      const { conversation } = await conversations.getConversation({
        userId: callerOf(request).userId,
        conversationId,
      });
      return { conversation: toConversation(required(conversation)) };
    },
  );

  app.patch(
    '/conversations/:id',
    {
      schema: {
        operationId: 'updateConversation',
        tags,
        summary: 'Change a group',
        description: 'The owner and admins may. What is left out stays as it is.',
        errors: [...accessErrors, 'PERMISSION_DENIED'],
        params: conversationParams,
        body: Type.Object({
          name: Type.Optional(fields.groupName),
          avatarUrl: Type.Optional(fields.avatarUrl),
          description: Type.Optional(fields.description),
          announcement: Type.Optional(fields.announcement),
          settings: Type.Optional(
            Type.Object({
              inviteBy: Type.Optional(fields.oneOf(valuesOf(inviters), 'Who may add members')),
              muteAll: Type.Optional(Type.Boolean({ description: 'Only the owner and admins may write' })),
              maxMembers: Type.Optional(
                Type.Integer({ minimum: limits.groupMembers.fewest, maximum: limits.groupMembers.most }),
              ),
            }),
          ),
        }),
        response: { 200: oneConversation },
      },
    },
    async (request) => {
      const { name, avatarUrl, description, announcement, settings = {} } = request.body;
      const { conversation } = await conversations.updateConversation({
        userId: callerOf(request).userId,
        conversationId: checkConversationId(request.params.id),
        name,
        avatarUrl,
        description,
        announcement,
        inviteBy: settings.inviteBy,
        muteAll: settings.muteAll,
        maxMembers: settings.maxMembers,
      });
      return { conversation: toConversation(required(conversation)) };
    },
  );

  app.delete(
    '/conversations/:id',
    {
      schema: {
        operationId: 'dissolveConversation',
        tags,
        summary: 'Dissolve a group',
        description: 'Only the owner may. Nobody can read the group any more.',
        errors: [...accessErrors, 'PERMISSION_DENIED'],
        params: conversationParams,
        response: { 204: nothing },
      },
    },
    async (request, reply) => {
      const conversationId = checkConversationId(request.params.id);
      await conversations.dissolveConversation(
        { userId: callerOf(request).userId, conversationId },
        flowDeadline,
      );
      return reply.code(204).send();
    },
  );

  app.put(
    '/conversations/:id/read',
    {
      schema: {
        operationId: 'markAsRead',
        tags,
        summary: 'Mark a conversation as read',
        description: 'Moves your read pointer to a seqId of the conversation; it never moves back.',
        errors: accessErrors,
        params: conversationParams,
        body: Type.Object({ seqId: fields.seqId }),
        response: { 200: answer({ lastReadSeqId: Type.Integer(), unreadCount: Type.Integer() }) },
      },
    },
    async (request) => {
      const { lastReadSeqId, unreadCount } = await conversations.markAsRead({
        userId: callerOf(request).userId,
        conversationId: checkConversationId(request.params.id),
        seqId: request.body.seqId,
      });
      return { lastReadSeqId, unreadCount };
    },
  );

  app.patch(
    '/conversations/:id/me',
    {
      schema: {
        operationId: 'updateConversationChoices',
        tags,
        summary: 'Set your choices for a conversation',
        description: 'They hold for you alone. What is left out stays as it is.',
        errors: accessErrors,
        params: conversationParams,
        body: Type.Object({
          notifications: Type.Optional(fields.oneOf(notificationChoices)),
          pinned: Type.Optional(Type.Boolean({ examples: [true] })),
          hidden: Type.Optional(Type.Boolean()),
        }),
        response: { 200: oneConversation },
      },
    },
    async (request) => {
      const { notifications, pinned, hidden } = request.body;
      const { conversation } = await conversations.updateMemberChoices({
        userId: callerOf(request).userId,
        conversationId: checkConversationId(request.params.id),
        notifications,
        pinned,
        hidden,
      });
      return { conversation: toConversation(required(conversation)) };
    },
  );

  app.put(
    '/conversations/:id/owner',
    {
      schema: {
        operationId: 'transferOwnership',
        tags,
        summary: 'Make another member the owner of a group',
        description: 'Only the owner may, who then is an admin.',
        errors: [...accessErrors, 'PERMISSION_DENIED', 'USER_NOT_FOUND'],
        params: conversationParams,
        body: Type.Object({ userId: fields.id }),
        response: { 200: oneConversation },
      },
    },
    async (request) => {
      const { conversation } = await conversations.transferOwnership(
        {
          userId: callerOf(request).userId,
          conversationId: checkConversationId(request.params.id),
          newOwnerId: checkUserId(request.body.userId),
        },
        flowDeadline,
      );
      return { conversation: toConversation(required(conversation)) };
    },
  );
};
