import type { FastifyPluginAsyncTypebox } from '@fastify/type-provider-typebox';
import Type from 'typebox';
import { friendRequestAction, valuesOf } from '../../../../lib/domain/enumerations.ts';
import { checkFriendRequestId, checkUserId } from '../../../../lib/domain/id-checks.ts';
import type { LogicClient } from '../../../../lib/grpc/clients.ts';
import { Conversation, toConversation } from '../../../../lib/wire/conversation.ts';
import { required } from '../../../../lib/wire/required.ts';
import { FriendRequest, toFriendRequest } from '../../../../lib/wire/user.ts';
import * as fields from '../../validation/fields.ts';
import { nextCursor, pagingFields, pagingOf } from '../../validation/paging.ts';
import { flowDeadline } from '../answers/deadlines.ts';
import { replayCurrent } from '../answers/replay.ts';
import { answer, nothing } from '../answers/schemas.ts';
import { callerOf } from '../plugins/authenticate.ts';

const tags = ['Friends'];
const params = Type.Object({ requestId: fields.pathRequestId });

export const friendRequestRoutes: FastifyPluginAsyncTypebox<{ friends: LogicClient['friends'] }> = async (
  app,
  { friends },
) => {
  const sentRequest = replayCurrent<{ request: { id: string } }>(
    ({ request: { id } }) => ({ request: { id } }),
    async ({ request: { id } }, userId) => {
      const { request } = await friends.getFriendRequest({ userId, requestId: id });
      return { request: toFriendRequest(required(request)) };
    },
  );

  app.post(
    '/friends/requests',
    {
      config: { replay: sentRequest },
      schema: {
        operationId: 'sendFriendRequest',
        tags,
        summary: 'Send a friend request',
        description:
          'A request expires after 30 days. Asking again after a rejection is refused for a while (429).',
        errors: ['BLOCKED', 'USER_NOT_FOUND', 'ALREADY_FRIENDS'],
        body: Type.Object({ targetUserId: fields.id, message: Type.Optional(fields.requestMessage) }),
        response: { 201: answer({ request: FriendRequest }) },
      },
    },
    async (request, reply) => {
      const { targetUserId, message = '' } = request.body;
      const sent = await friends.sendFriendRequest(
        {
          userId: callerOf(request).userId,
          targetUserId: checkUserId(targetUserId),
          message,
          idempotencyKey: request.claim?.key ?? '',
        },
        flowDeadline,
      );
      return reply.code(201).send({ request: toFriendRequest(required(sent.request)) });
    },
  );

  app.get(
    '/friends/requests',
    {
      schema: {
        operationId: 'listFriendRequests',
        tags,
        summary: 'List your friend requests',
        description: 'Those to you, or those that you sent. The newest comes first.',
        querystring: Type.Object({
          direction: Type.Optional(
            fields.oneOf(['incoming', 'outgoing'], 'To you, or sent by you', 'incoming'),
          ),
          status: Type.Optional(
            Type.Integer({
              minimum: 0,
              maximum: 5,
              description:
                'Only those that are 0 pending, 1 accepted, 2 rejected, 3 blocked, 4 expired, 5 withdrawn',
            }),
          ),
          ...pagingFields,
        }),
        response: { 200: answer({ requests: Type.Array(FriendRequest), nextCursor }) },
      },
    },
    async (request) => {
      const { direction, status } = request.query;
      const page = await friends.listFriendRequests({
        userId: callerOf(request).userId,
        outgoing: direction === 'outgoing',
        status,
        ...pagingOf(request.query),
      });
      return { requests: page.requests.map(toFriendRequest), nextCursor: page.nextCursor };
    },
  );

  app.put(
    '/friends/requests/:requestId',
    {
      schema: {
        operationId: 'handleFriendRequest',
        tags,
        summary: 'Accept or reject a friend request',
        description:
          'Its target may, while it is pending. An acceptance answers the single conversation too.',
        errors: ['PERMISSION_DENIED', 'BLOCKED', 'REQUEST_NOT_FOUND', 'REQUEST_ALREADY_HANDLED'],
        params,
        body: Type.Object({
          action: fields.oneOf(valuesOf(friendRequestAction), '1 accept, 2 reject'),
        }),
        response: { 200: answer({ request: FriendRequest, conversation: Type.Optional(Conversation) }) },
      },
    },
    async (request) => {
      const handled = await friends.handleFriendRequest(
        {
          userId: callerOf(request).userId,
          requestId: checkFriendRequestId(request.params.requestId),
          action: request.body.action,
        },
        flowDeadline,
      );
      return {
        request: toFriendRequest(required(handled.request)),
        ...(handled.conversation ? { conversation: toConversation(handled.conversation) } : {}),
      };
    },
  );

  app.delete(
    '/friends/requests/:requestId',
    {
      schema: {
        operationId: 'withdrawFriendRequest',
        tags,
        summary: 'Withdraw a friend request',
        description: 'Its requester may, while it is pending.',
        errors: ['PERMISSION_DENIED', 'REQUEST_NOT_FOUND', 'REQUEST_ALREADY_HANDLED'],
        params,
        response: { 204: nothing },
      },
    },
    async (request, reply) => {
      const requestId = checkFriendRequestId(request.params.requestId);
      await friends.withdrawFriendRequest({ userId: callerOf(request).userId, requestId }, flowDeadline);
      return reply.code(204).send();
    },
  );
};
