import type { FastifyPluginAsyncTypebox } from '@fastify/type-provider-typebox';
import Type from 'typebox';
import type { LogicClient } from '../../../../lib/grpc/clients.ts';
import { Message, toMessage, toMessagePage } from '../../../../lib/wire/message.ts';
import { required } from '../../../../lib/wire/required.ts';
import { checkContentSize } from '../../validation/content.ts';
import * as fields from '../../validation/fields.ts';
import * as ids from '../../validation/ids.ts';
import { flowDeadline } from '../answers/deadlines.ts';
import type { Pages } from '../answers/pages.ts';
import { asItIs } from '../answers/replay.ts';
import { answer, nothing, notModified } from '../answers/schemas.ts';
import { callerOf } from '../plugins/authenticate.ts';

const tags = ['Messages'];
const params = Type.Object({ id: Type.String() });

/** History, sending outside the WebSocket, and recalling. */
export const messageRoutes: FastifyPluginAsyncTypebox<{
  conversations: LogicClient['conversations'];
  messages: LogicClient['messages'];
  pages: Pages;
}> = async (app, { conversations, messages, pages }) => {
  app.get(
    '/conversations/:id/messages',
    {
      schema: {
        tags,
        summary: 'A page of history, ascending by seqId',
        description:
          'Bounds are exclusive. Without one, or with beforeSeq: the newest page; with afterSeq: the oldest after it.',
        params,
        querystring: Type.Object({
          beforeSeq: Type.Optional(fields.seqId),
          afterSeq: Type.Optional(fields.seqId),
          limit: fields.limit(50, 200),
        }),
        response: {
          200: answer({ messages: Type.Array(Message), hasMore: Type.Boolean() }),
          304: notModified,
        },
      },
    },
    async (request, reply) => {
      const { beforeSeq, afterSeq, limit = 50 } = request.query;
      const { userId } = callerOf(request);
      const conversationId = ids.conversationId(request.params.id);
      // The same for all members: whether the caller is one is asked each time.
      const key = `messages ${conversationId} ${beforeSeq} ${afterSeq} ${limit}`;
      return pages.answer(request, reply, key, async (knownTag) => {
        const bounds = { beforeSeqId: beforeSeq, afterSeqId: afterSeq, limit };
        const wanted = { userId, conversationId, ...bounds, knownTag, asJson: true };
        const page = await conversations.getMessages(wanted);
        return { ...page, body: () => toMessagePage(page) };
      });
    },
  );

  const sentMessage = asItIs<{ message: { conversationId: string; seqId: number } }>(
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
        tags,
        summary: 'Send a message; answers when it is stored',
        description:
          '200 with the first message when clientMsgId was seen before. The content of a message of type 2 (image) or ' +
          '3 (file) is a file in JSON: {url, name, size, mime, width?, height?, thumbnailUrl?}, its addresses http or https.',
        params,
        body: Type.Object({
          clientMsgId: fields.clientMsgId,
          content: fields.content,
          messageType: Type.Optional(fields.messageType),
          replyToSeqId: Type.Optional(fields.replyToSeqId),
          mentions: Type.Optional(fields.mentions),
        }),
        response: { 200: answer({ message: Message }), 201: answer({ message: Message }) },
      },
    },
    async (request, reply) => {
      const { clientMsgId, content, messageType = 1, replyToSeqId, mentions = [] } = request.body;
      checkContentSize(content);
      const { message, duplicate } = await messages.sendMessage(
        {
          userId: callerOf(request).userId,
          conversationId: ids.conversationId(request.params.id),
          clientMsgId,
          content,
          messageType,
          replyToSeqId,
          mentions,
        },
        flowDeadline,
      );
      return reply.code(duplicate ? 200 : 201).send({ message: toMessage(required(message)) });
    },
  );

  app.delete(
    '/conversations/:id/messages/:messageId',
    {
      schema: {
        tags,
        summary: 'Recall a message',
        params: Type.Object({ id: Type.String(), messageId: Type.String() }),
        response: { 204: nothing },
      },
    },
    async (request, reply) => {
      const conversationId = ids.conversationId(request.params.id);
      const messageId = ids.messageId(request.params.messageId);
      await messages.deleteMessage({ userId: callerOf(request).userId, conversationId, messageId });
      return reply.code(204).send();
    },
  );
};
