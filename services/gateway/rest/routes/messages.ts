import type { FastifyPluginAsyncTypebox } from '@fastify/type-provider-typebox';
import Type from 'typebox';
import { checkConversationId } from '../../../../lib/domain/id-checks.ts';
import { limits } from '../../../../lib/domain/limits.ts';
import {
  bodyOf,
  checkContentLength,
  fromClient,
  newBodySchemas,
  noExtra,
} from '../../../../lib/domain/message-body.ts';
import { invalid } from '../../../../lib/domain/refusals.ts';
import type { LogicClient } from '../../../../lib/grpc/clients.ts';
import { Message, toMessage, toMessagePage } from '../../../../lib/wire/message.ts';
import { required } from '../../../../lib/wire/required.ts';
import * as fields from '../../validation/fields.ts';
import { flowDeadline } from '../answers/deadlines.ts';
import type { Pages } from '../answers/pages.ts';
import { replayCurrent } from '../answers/replay.ts';
import { answer, notModified } from '../answers/schemas.ts';
import { callerOf } from '../plugins/authenticate.ts';
import {
  accessErrors,
  conversationParams,
  messageOf,
  messageParams,
  writeErrors,
} from './conversation-paths.ts';

const tags = ['Messages'];

/** History, single messages, and sending outside the WebSocket. */
export const messageRoutes: FastifyPluginAsyncTypebox<{
  conversations: LogicClient['conversations'];
  messages: LogicClient['messages'];
  pages: Pages;
}> = async (app, { conversations, messages, pages }) => {
  app.get(
    '/conversations/:id/messages',
    {
      schema: {
        operationId: 'listMessages',
        tags,
        summary: 'List the messages of a conversation',
        description:
          'A page in ascending order of seqId. Without a bound it is the newest page, with beforeSeq the newest page ' +
          'before it, with afterSeq the oldest page after it. Bounds are exclusive. With aroundSeq half of the page is up to ' +
          'and with that message, the other half after it, and hasOlder and hasNewer say where there are more.',
        errors: accessErrors,
        params: conversationParams,
        querystring: Type.Object({
          beforeSeq: Type.Optional(
            Type.Integer({ ...fields.seqId, description: 'Only messages with a lower seqId' }),
          ),
          afterSeq: Type.Optional(
            Type.Integer({ ...fields.seqId, description: 'Only messages with a higher seqId' }),
          ),
          aroundSeq: Type.Optional(
            Type.Integer({
              ...fields.seqId,
              description: 'The messages around this seqId; not beside a bound',
            }),
          ),
          limit: fields.limit(limits.page),
        }),
        response: {
          200: answer({
            messages: Type.Array(Message),
            hasMore: Type.Boolean({ description: 'Whether there are more, in the direction read' }),
            hasOlder: Type.Optional(Type.Boolean({ description: 'Only with aroundSeq' })),
            hasNewer: Type.Optional(Type.Boolean({ description: 'Only with aroundSeq' })),
          }),
          304: notModified,
        },
      },
    },
    async (request, reply) => {
      const { beforeSeq, afterSeq, aroundSeq, limit = limits.page.usual } = request.query;
      if (aroundSeq !== undefined && (beforeSeq !== undefined || afterSeq !== undefined))
        throw invalid('aroundSeq', 'must not be given beside beforeSeq or afterSeq');
      const { userId } = callerOf(request);
      const conversationId = checkConversationId(request.params.id);
      // The page is the same for all members. Logic checks in each call if the caller is a member.
      const key = `messages ${conversationId} ${beforeSeq} ${afterSeq} ${aroundSeq} ${limit}`;
      return pages.answer(request, reply, key, async (knownTag) => {
        const bounds = { beforeSeqId: beforeSeq, afterSeqId: afterSeq, aroundSeqId: aroundSeq, limit };
        const wanted = { userId, conversationId, ...bounds, knownTag, asJson: true };
        const page = await conversations.getMessages(wanted);
        return { ...page, body: () => toMessagePage(page) };
      });
    },
  );

  const sentMessage = replayCurrent<{ message: { conversationId: string; seqId: number } }>(
    ({ message: { conversationId, seqId } }) => ({ message: { conversationId, seqId } }),
    async ({ message: { conversationId, seqId } }, userId) => {
      const page = { afterSeqId: seqId - 1, limit: 1, knownTag: '' };
      const stored = await conversations.getMessages({ userId, conversationId, ...page });
      return { message: toMessage(required(stored.messages[0])) };
    },
  );

  app.post(
    '/conversations/:id/messages',
    {
      config: { replay: sentMessage },
      schema: {
        operationId: 'sendMessage',
        tags,
        summary: 'Send a message',
        description:
          'Answers when the message is stored: 201, or 200 with the first message when clientMsgId was seen before.',
        errors: [...writeErrors, 'MESSAGE_TOO_LARGE'],
        params: conversationParams,
        bodyRules: { properties: { content: { maxLength: limits.messageContent } } },
        body: Type.Object(newBodySchemas),
        response: {
          200: answer({ message: Message }, 'The message that was stored first under this clientMsgId'),
          201: answer({ message: Message }, 'The message, as it was stored'),
        },
      },
    },
    async (request, reply) => {
      checkContentLength(request.body.content);
      const { message, duplicate } = await messages.sendMessage(
        {
          userId: callerOf(request).userId,
          conversationId: checkConversationId(request.params.id),
          ...noExtra,
          ...bodyOf(fromClient(request.body)),
        },
        flowDeadline,
      );
      return reply.code(duplicate ? 200 : 201).send({ message: toMessage(required(message)) });
    },
  );

  app.get(
    '/conversations/:id/messages/:messageId',
    {
      schema: {
        operationId: 'getMessage',
        tags,
        summary: 'Get one message',
        description: 'A recalled message has deleted true and no content.',
        errors: [...accessErrors, 'MESSAGE_NOT_FOUND'],
        params: messageParams,
        response: { 200: answer({ message: Message }) },
      },
    },
    async (request) => {
      const { userId } = callerOf(request);
      const { message } = await messages.getMessage({ userId, ...messageOf(request.params) });
      return { message: toMessage(required(message)) };
    },
  );
};
