import type { FastifyPluginAsyncTypebox } from '@fastify/type-provider-typebox';
import Type from 'typebox';
import type { Readiness } from '../../../../lib/admin.ts';
import * as fields from '../../validation/fields.ts';

const tags = ['Health'];
const readinessAnswer = (description: string, ready: boolean) =>
  Type.Object(
    {
      ready: Type.Boolean(),
      dependencies: Type.Record(Type.String(), fields.oneOf(['up', 'down'])),
    },
    {
      description,
      examples: [{ ready, dependencies: { kafka: ready ? 'up' : 'down', logic: 'up', repo: 'up' } }],
    },
  );

export const healthRoutes: FastifyPluginAsyncTypebox<{ readiness: () => Promise<Readiness> }> = async (
  app,
  { readiness },
) => {
  app.get(
    '/healthz',
    {
      config: { public: true, probe: true },
      schema: {
        operationId: 'getLiveness',
        tags,
        summary: 'Liveness',
        description: 'Answers as long as the process runs.',
        response: { 200: Type.Object({ status: Type.String({ examples: ['ok'] }) }) },
      },
    },
    async () => ({ status: 'ok' }),
  );

  app.get(
    '/readyz',
    {
      config: { public: true, probe: true },
      schema: {
        operationId: 'getReadiness',
        tags,
        summary: 'Readiness',
        description:
          'Answers 200 while the gateway can do its work and 503 while it cannot, and names what it depends on.',
        response: {
          200: readinessAnswer('The gateway can do its work', true),
          503: readinessAnswer('A dependency is down', false),
        },
      },
    },
    async (_request, reply) => {
      const state = await readiness();
      return reply.code(state.ready ? 200 : 503).send(state);
    },
  );
};
