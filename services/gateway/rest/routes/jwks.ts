import type { FastifyPluginAsyncTypebox } from '@fastify/type-provider-typebox';
import type { JWK } from 'jose';
import Type from 'typebox';
import { answer } from '../answers/schemas.ts';

/** The public keys of access tokens, for others that check them. */
export const jwksRoutes: FastifyPluginAsyncTypebox<{ keys: readonly JWK[] }> = async (app, { keys }) => {
  app.get(
    '/.well-known/jwks.json',
    {
      config: { public: true },
      schema: {
        tags: ['Accounts'],
        summary: 'The public keys that check access tokens, as a JSON Web Key Set (RFC 7517)',
        response: { 200: answer({ keys: Type.Array(Type.Record(Type.String(), Type.String())) }) },
      },
    },
    async (_request, reply) => {
      reply.header('cache-control', 'public, max-age=300');
      return { keys: keys.map((key) => key as Record<string, string>) };
    },
  );
};
