import type { FastifyPluginAsyncTypebox } from '@fastify/type-provider-typebox';
import Type from 'typebox';
import { checkConversationId } from '../../../../lib/domain/id-checks.ts';
import { limits } from '../../../../lib/domain/limits.ts';
import type { LogicClient } from '../../../../lib/grpc/clients.ts';
import { Message, toMessage } from '../../../../lib/wire/message.ts';
import { required } from '../../../../lib/wire/required.ts';
import * as fields from '../../validation/fields.ts';
import { nextCursor } from '../../validation/paging.ts';
import { askAgain, partial, partialAnswer } from '../answers/partial.ts';
import { answer } from '../answers/schemas.ts';
import { callerOf } from '../plugins/authenticate.ts';
import { accessErrors } from './conversation-paths.ts';

const highlights = Type.Array(Type.Array(Type.Integer(), { minItems: 2, maxItems: 2 }), {
  description:
    'What was found in the content: start and length of each range, in UTF-16 units, in their order. Empty if it is only ' +
    'in the escaped name of a file.',
  examples: [[[11, 5]]],
});

/** Search among all messages that the caller may read. */
export const searchRoutes: FastifyPluginAsyncTypebox<{ messages: LogicClient['messages'] }> = async (
  app,
  { messages },
) => {
  app.get(
    '/search/messages',
    {
      schema: {
        operationId: 'searchMessages',
        tags: ['Messages'],
        summary: 'Search messages',
        description:
          'The newest first, of the conversations that you are a member of now. Every word must occur; the last one may be the ' +
          'beginning of a word. Chinese, Japanese, Korean and Thai are found by any two or more neighbouring characters. ' +
          'Case and width do not matter. Of images and files the name is searched. A page may have fewer results than ' +
          `asked for, and still have a nextCursor.${partialAnswer}`,
        errors: accessErrors,
        querystring: Type.Object({
          q: fields.messageSearchText,
          conversationId: Type.Optional(
            Type.String({ description: 'Only in this conversation', examples: ['7301444403200007'] }),
          ),
          senderId: Type.Optional(
            Type.String({ description: 'Only from this user', examples: ['7301444403200001'] }),
          ),
          before: Type.Optional(
            Type.Integer({
              ...fields.time,
              description: 'Only messages from before this time, Unix milliseconds',
            }),
          ),
          after: Type.Optional(
            Type.Integer({
              ...fields.time,
              description: 'Only messages from after this time, Unix milliseconds',
            }),
          ),
          limit: fields.limit(limits.page),
          cursor: Type.Optional(
            Type.String({
              minLength: 1,
              maxLength: 256,
              description: 'nextCursor of the page before, for the page that follows it',
            }),
          ),
        }),
        response: {
          200: answer({
            results: Type.Array(
              answer({
                message: Message,
                conversationName: Type.String({
                  description: 'The name of the group, or the displayName of the other user',
                  examples: ['Climbing'],
                }),
                highlights,
              }),
            ),
            nextCursor,
            partial,
          }),
        },
      },
    },
    async (request, reply) => {
      const { q, conversationId, limit = limits.page.usual, ...rest } = request.query;
      const found = await messages.searchMessages({
        userId: callerOf(request).userId,
        query: q,
        conversationId: conversationId === undefined ? undefined : checkConversationId(conversationId),
        limit,
        ...rest,
      });
      if (found.partial) reply.headers(askAgain);
      return {
        results: found.hits.map(({ message, conversationName, highlights: ranges }) => ({
          message: toMessage(required(message)),
          conversationName,
          highlights: ranges.map(({ start, length }) => [start, length]),
        })),
        nextCursor: found.nextCursor,
        partial: found.partial,
      };
    },
  );
};
