import type { FastifyPluginAsyncTypebox } from '@fastify/type-provider-typebox';
import Type from 'typebox';
import { limits } from '../../../../lib/domain/limits.ts';
import {
  checkContentLength,
  extraSchemas,
  metadataText,
  newBodySchemas,
} from '../../../../lib/domain/message-body.ts';
import { invalid } from '../../../../lib/domain/refusals.ts';
import type { LogicClient } from '../../../../lib/grpc/clients.ts';
import { Message, toMessage } from '../../../../lib/wire/message.ts';
import { required } from '../../../../lib/wire/required.ts';
import { answer, nothing } from '../answers/schemas.ts';
import { callerOf } from '../plugins/authenticate.ts';
import { accessErrors, messageOf, messageParams, writeErrors } from './conversation-paths.ts';

const tags = ['Messages'];

/** Changes of stored messages: editing and recalling. */
export const messageChangeRoutes: FastifyPluginAsyncTypebox<{ messages: LogicClient['messages'] }> = async (
  app,
  { messages },
) => {
  app.patch(
    '/conversations/:id/messages/:messageId',
    {
      schema: {
        operationId: 'editMessage',
        tags,
        summary: 'Edit a message',
        description:
          'Its sender may replace the content, the metadata or both within 24 hours (EDIT_WINDOW_MS), as long as the sender ' +
          'may write in the conversation. What is left out stays as it is.',
        errors: [
          ...writeErrors,
          'PERMISSION_DENIED',
          'MESSAGE_NOT_FOUND',
          'EDIT_EXPIRED',
          'MESSAGE_TOO_LARGE',
        ],
        params: messageParams,
        bodyRules: { properties: { content: { maxLength: limits.messageContent } } },
        body: Type.Object({
          content: Type.Optional(newBodySchemas.content),
          metadata: extraSchemas.metadata,
        }),
        response: { 200: answer({ message: Message }) },
      },
    },
    async (request) => {
      const { content, metadata } = request.body;
      if (content === undefined && metadata === undefined)
        throw invalid('content', 'or metadata must be given');
      if (content !== undefined) checkContentLength(content);
      const { message } = await messages.editMessage({
        userId: callerOf(request).userId,
        ...messageOf(request.params),
        content,
        metadata: metadata === undefined ? undefined : metadataText(metadata),
      });
      return { message: toMessage(required(message)) };
    },
  );

  app.delete(
    '/conversations/:id/messages/:messageId',
    {
      schema: {
        operationId: 'recallMessage',
        tags,
        summary: 'Recall a message',
        description:
          'Its content becomes empty for everybody, and its metadata is deleted. The sender may within 2 minutes (RECALL_WINDOW_MS), ' +
          'the owner and admins of a group at any time.',
        errors: [...accessErrors, 'PERMISSION_DENIED', 'MESSAGE_NOT_FOUND', 'RECALL_EXPIRED'],
        params: messageParams,
        response: { 204: nothing },
      },
    },
    async (request, reply) => {
      await messages.deleteMessage({ userId: callerOf(request).userId, ...messageOf(request.params) });
      return reply.code(204).send();
    },
  );
};
