import type { FastifyPluginAsyncTypebox } from '@fastify/type-provider-typebox';
import Type from 'typebox';
import type { Readiness } from '../../../../lib/admin.ts';

const tags = ['Health'];
const ReadinessAnswer = Type.Object({
  ready: Type.Boolean(),
  dependencies: Type.Record(Type.String(), Type.String({ description: '"up" or "down"' })),
});

export const healthRoutes: FastifyPluginAsyncTypebox<{ readiness: () => Promise<Readiness> }> = async (
  app,
  { readiness },
) => {
  app.get(
    '/healthz',
    {
      config: { public: true, probe: true },
      schema: {
        tags,
        summary: 'This gateway lives',
        response: { 200: Type.Object({ status: Type.String() }) },
      },
    },
    async () => ({ status: 'ok' }),
  );

  app.get(
    '/readyz',
    {
      config: { public: true, probe: true },
      schema: {
        tags,
        summary: 'This gateway can do its work, and which of its dependencies can',
        response: { 200: ReadinessAnswer, 503: ReadinessAnswer },
      },
    },
    async (_request, reply) => {
      const state = await readiness();
      return reply.code(state.ready ? 200 : 503).send(state);
    },
  );
};
