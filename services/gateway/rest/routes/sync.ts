import type { FastifyPluginAsyncTypebox } from '@fastify/type-provider-typebox';
import Type from 'typebox';
import type { LogicClient } from '../../../../lib/grpc/clients.ts';
import { Conversation, toConversation } from '../../../../lib/wire/conversation.ts';
import { Message, toMessage } from '../../../../lib/wire/message.ts';
import { required } from '../../../../lib/wire/required.ts';
import * as fields from '../../validation/fields.ts';
import { isPossibleId } from '../../validation/formats.ts';
import { answer } from '../answers/schemas.ts';
import { callerOf } from '../plugins/authenticate.ts';

const perConversation = { preset: 200, maximum: 2000 };

export const syncRoutes: FastifyPluginAsyncTypebox<{ conversations: LogicClient['conversations'] }> = async (
  app,
  { conversations },
) => {
  app.post(
    '/sync',
    {
      schema: {
        tags: ['Messages'],
        summary: 'Everything missed, in one call',
        description:
          'Name the last seqId held of each conversation; one left out counts as 0, the world room excepted. ' +
          'While hasMore or moreChanges is true, ask again with the advanced cursors and the serverTime of the answer as since.',
        body: Type.Object({
          cursors: Type.Record(Type.String(), fields.seqId),
          since: Type.Optional(fields.time),
          limitPerConversation: Type.Optional(
            Type.Integer({ minimum: 1, maximum: perConversation.maximum, default: perConversation.preset }),
          ),
        }),
        response: {
          200: answer({
            conversations: Type.Array(
              answer({
                conversation: Conversation,
                messages: Type.Array(Message),
                hasMore: Type.Boolean(),
                reset: Type.Optional(
                  Type.Boolean({
                    description:
                      'The cursor was beyond the head: forget what you hold, this is the newest page',
                  }),
                ),
              }),
            ),
            recalled: Type.Array(answer({ conversationId: Type.String(), seqId: Type.Integer() })),
            removed: Type.Array(Type.String()),
            hasMore: Type.Boolean({ description: 'Asking again with the advanced cursors brings more' }),
            moreChanges: Type.Optional(
              Type.Boolean({
                description:
                  'More changed than is told here: asking again with serverTime as since brings the rest',
              }),
            ),
            serverTime: Type.Integer({ description: 'The next since: what changed up to it is told' }),
          }),
        },
      },
    },
    async (request) => {
      const { cursors, since = 0, limitPerConversation = perConversation.preset } = request.body;
      const named = Object.entries(cursors);
      const synced = await conversations.sync(
        {
          userId: callerOf(request).userId,
          cursors: Object.fromEntries(named.filter(([id]) => isPossibleId(id))),
          since,
          limitPerConversation,
        },
        { deadlineMs: 10_000 },
      );
      return {
        conversations: synced.conversations.map(({ conversation, messages, hasMore, reset }) => ({
          conversation: toConversation(required(conversation)),
          messages: messages.map(toMessage),
          hasMore,
          ...(reset ? { reset } : {}),
        })),
        recalled: synced.recalled.map(({ conversationId, seqId }) => ({ conversationId, seqId })),
        // What cannot be a conversation is none of the user's either.
        removed: [...synced.removed, ...named.map(([id]) => id).filter((id) => !isPossibleId(id))],
        hasMore: synced.hasMore,
        ...(synced.moreChanges ? { moreChanges: true } : {}),
        serverTime: synced.serverTime,
      };
    },
  );
};
