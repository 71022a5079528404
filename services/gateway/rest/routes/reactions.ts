import type { FastifyPluginAsyncTypebox } from '@fastify/type-provider-typebox';
import Type from 'typebox';
import { checkConversationId } from '../../../../lib/domain/id-checks.ts';
import { limits } from '../../../../lib/domain/limits.ts';
import { invalid } from '../../../../lib/domain/refusals.ts';
import { readEmoji } from '../../../../lib/emoji.ts';
import type { LogicClient } from '../../../../lib/grpc/clients.ts';
import { Message, toMessage } from '../../../../lib/wire/message.ts';
import { required } from '../../../../lib/wire/required.ts';
import { toUser, User } from '../../../../lib/wire/user.ts';
import * as fields from '../../validation/fields.ts';
import { nextCursor, pagingFields, pagingOf } from '../../validation/paging.ts';
import { answer, nothing } from '../answers/schemas.ts';
import { callerOf } from '../plugins/authenticate.ts';
import {
  accessErrors,
  conversationParams,
  messageOf,
  messageParams,
  writeErrors,
} from './conversation-paths.ts';

const tags = ['Messages'];
const reactionParams = Type.Object({
  ...messageParams.properties,
  emoji: Type.String({ description: 'One emoji, percent-encoded', examples: ['👍'] }),
});
const reactionErrors = [...writeErrors, 'MESSAGE_NOT_FOUND'] as const;
const pinErrors = [...accessErrors, 'PERMISSION_DENIED', 'MESSAGE_NOT_FOUND'] as const;

function checkEmoji(text: string): string {
  const emoji = readEmoji(text);
  if (emoji === undefined) throw invalid('emoji', 'must be one emoji');
  return emoji;
}

/** Reactions to messages, and pinned messages. */
export const reactionRoutes: FastifyPluginAsyncTypebox<{ messages: LogicClient['messages'] }> = async (
  app,
  { messages },
) => {
  for (const [method, on] of [
    ['PUT', true],
    ['DELETE', false],
  ] as const) {
    app.route({
      method,
      url: '/conversations/:id/messages/:messageId/reactions/:emoji',
      schema: {
        operationId: on ? 'addReaction' : 'removeReaction',
        tags,
        summary: on ? 'React to a message' : 'Take a reaction away',
        description: on
          ? 'The same again changes nothing. Members are told at most four times a second of the reactions to a message.'
          : 'The same again changes nothing.',
        errors: on ? [...reactionErrors, 'REACTION_LIMIT'] : reactionErrors,
        params: reactionParams,
        response: { 204: nothing },
      },
      handler: async (request, reply) => {
        const emoji = checkEmoji(request.params.emoji);
        const { userId } = callerOf(request);
        await messages.setReaction({ userId, ...messageOf(request.params), emoji, on });
        return reply.code(204).send();
      },
    });

    app.route({
      method,
      url: '/conversations/:id/pins/:messageId',
      schema: {
        operationId: on ? 'pinMessage' : 'unpinMessage',
        tags,
        summary: on ? 'Pin a message' : 'Unpin a message',
        description:
          'The owner and admins of a group may, and both users of a single conversation. The same again changes nothing.',
        errors: on ? [...pinErrors, 'PIN_LIMIT'] : pinErrors,
        params: messageParams,
        response: { 204: nothing },
      },
      handler: async (request, reply) => {
        const { userId } = callerOf(request);
        await messages.setPinned({ userId, ...messageOf(request.params), pinned: on });
        return reply.code(204).send();
      },
    });
  }

  app.get(
    '/conversations/:id/messages/:messageId/reactions',
    {
      schema: {
        operationId: 'listReactions',
        tags,
        summary: 'List the reactions to a message',
        description: 'The earliest comes first.',
        errors: [...accessErrors, 'MESSAGE_NOT_FOUND'],
        params: messageParams,
        querystring: Type.Object({
          ...pagingFields,
          emoji: Type.Optional(
            Type.String({ description: 'Only reactions with this emoji', examples: ['👍'] }),
          ),
        }),
        response: {
          200: answer({
            reactions: Type.Array(
              answer({
                emoji: Type.String({ examples: ['👍'] }),
                user: User,
                createdAt: Type.Integer({ description: 'Unix milliseconds' }),
              }),
            ),
            hasMore: Type.Boolean(),
            nextCursor,
          }),
        },
      },
    },
    async (request) => {
      const { emoji } = request.query;
      const { reactions, ...more } = await messages.getReactions({
        userId: callerOf(request).userId,
        ...messageOf(request.params),
        ...pagingOf(request.query),
        emoji: emoji === undefined ? undefined : checkEmoji(emoji),
      });
      return {
        reactions: reactions.map((one) => ({
          emoji: one.emoji,
          user: toUser(required(one.user)),
          createdAt: one.createdAt,
        })),
        ...more,
      };
    },
  );

  app.get(
    '/conversations/:id/my-reactions',
    {
      schema: {
        operationId: 'listOwnReactions',
        tags,
        summary: 'List your reactions to a range of messages',
        description:
          `A message names only the first ${limits.reactionUsers} users per emoji, and you may be a later one. ` +
          `One answer has at most ${limits.ownReactions.toLocaleString('en-US')}.`,
        errors: accessErrors,
        params: conversationParams,
        querystring: Type.Object({
          fromSeq: Type.Optional(
            Type.Integer({ ...fields.seqId, default: 0, description: 'The first seqId' }),
          ),
          toSeq: Type.Optional(
            Type.Integer({ ...fields.seqId, description: 'The last seqId; without it, the last message' }),
          ),
        }),
        response: {
          200: answer({
            reactions: Type.Array(
              answer({ messageId: Type.Integer(), emoji: Type.String({ examples: ['👍'] }) }),
            ),
          }),
        },
      },
    },
    async (request) => {
      const { fromSeq = 0, toSeq = Number.MAX_SAFE_INTEGER } = request.query;
      const { reactions } = await messages.getOwnReactions({
        userId: callerOf(request).userId,
        conversationId: checkConversationId(request.params.id),
        fromSeqId: fromSeq,
        toSeqId: toSeq,
      });
      return { reactions: reactions.map(({ messageId, emoji }) => ({ messageId, emoji })) };
    },
  );

  app.get(
    '/conversations/:id/pins',
    {
      schema: {
        operationId: 'listPinnedMessages',
        tags,
        summary: 'List the pinned messages',
        description: 'The one pinned last comes first.',
        errors: accessErrors,
        params: conversationParams,
        response: { 200: answer({ messages: Type.Array(Message) }) },
      },
    },
    async (request) => {
      const pinned = await messages.getPinnedMessages({
        userId: callerOf(request).userId,
        conversationId: checkConversationId(request.params.id),
      });
      return { messages: pinned.messages.map(toMessage) };
    },
  );
};
