import type { FastifyPluginAsyncTypebox } from '@fastify/type-provider-typebox';
import Type from 'typebox';
import { isId } from '../../../../lib/domain/ids.ts';
import { limits } from '../../../../lib/domain/limits.ts';
import type { LogicClient } from '../../../../lib/grpc/clients.ts';
import { Conversation, toConversation } from '../../../../lib/wire/conversation.ts';
import { Message, toMessage } from '../../../../lib/wire/message.ts';
import { required } from '../../../../lib/wire/required.ts';
import * as fields from '../../validation/fields.ts';
import { askAgain, partial, partialAnswer } from '../answers/partial.ts';
import { answer } from '../answers/schemas.ts';
import { callerOf } from '../plugins/authenticate.ts';

export const syncRoutes: FastifyPluginAsyncTypebox<{ conversations: LogicClient['conversations'] }> = async (
  app,
  { conversations },
) => {
  app.post(
    '/sync',
    {
      schema: {
        operationId: 'sync',
        tags: ['Messages'],
        summary: 'Get everything you missed',
        description:
          'Name the last seqId that you hold of each conversation. One that you leave out counts as 0; the world room ' +
          'comes only when you name it. While hasMore or moreChanges is true, ask again with the advanced cursors, and ' +
          'with serverTime of the answer as since. With changes, the answer has the newest state of each message that was ' +
          'edited, recalled or changed otherwise: ask again with the greatest changeSeq of each conversation.' +
          partialAnswer,
        body: Type.Object({
          cursors: Type.Record(Type.String(), fields.seqId, {
            description: 'The last seqId that you hold, by conversation id',
            examples: [{ '7301444403200007': 41 }],
          }),
          changes: Type.Optional(
            Type.Record(Type.String(), fields.changeSeq, {
              description:
                'The last changeSeq that you hold, by conversation id: the answer then has the messages that changed after it',
              examples: [{ '7301444403200007': 3 }],
            }),
          ),
          since: Type.Optional(fields.time),
          limitPerConversation: fields.limit(limits.syncMessages),
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
                      'Your cursor was beyond the last message: forget what you hold; this is the newest page',
                  }),
                ),
              }),
            ),
            changes: Type.Array(
              answer({
                conversationId: Type.String(),
                changeSeq: Type.Integer({ description: 'The number of the last change of the message' }),
                message: Message,
              }),
              { description: 'What changed messages are now, ascending by changeSeq in each conversation' },
            ),
            recalled: Type.Array(answer({ conversationId: Type.String(), seqId: Type.Integer() })),
            removed: Type.Array(Type.String()),
            hasMore: Type.Boolean({
              description: 'Ask again with the advanced cursors for more',
              examples: [false],
            }),
            moreChanges: Type.Optional(
              Type.Boolean({
                description: 'More changed than this answer holds: ask again with serverTime as since',
              }),
            ),
            partial,
            serverTime: Type.Integer({
              description: 'The since of your next sync, Unix milliseconds',
              examples: [1_793_000_000_000],
            }),
          }),
        },
      },
    },
    async (request, reply) => {
      const {
        cursors,
        changes = {},
        since = 0,
        limitPerConversation = limits.syncMessages.usual,
      } = request.body;
      const named = Object.entries(cursors);
      const synced = await conversations.sync(
        {
          userId: callerOf(request).userId,
          cursors: Object.fromEntries(named.filter(([id]) => isId(id))),
          changes: Object.fromEntries(Object.entries(changes).filter(([id]) => isId(id))),
          since,
          limitPerConversation,
        },
        { deadlineMs: 10_000 },
      );
      if (synced.partial) reply.headers(askAgain);
      return {
        conversations: synced.conversations.map(({ conversation, messages, hasMore, reset }) => ({
          conversation: toConversation(required(conversation)),
          messages: messages.map(toMessage),
          hasMore,
          ...(reset ? { reset } : {}),
        })),
        changes: synced.changes.map(({ conversationId, changeSeq, message }) => ({
          conversationId,
          changeSeq,
          message: toMessage(required(message)),
        })),
        recalled: synced.recalled.map(({ conversationId, seqId }) => ({ conversationId, seqId })),
        // Text that cannot be an id names no conversation of the user, so it is reported as removed.
        removed: [...synced.removed, ...named.map(([id]) => id).filter((id) => !isId(id))],
        hasMore: synced.hasMore,
        ...(synced.moreChanges ? { moreChanges: true } : {}),
        ...(synced.partial ? { partial: true } : {}),
        serverTime: synced.serverTime,
      };
    },
  );
};
