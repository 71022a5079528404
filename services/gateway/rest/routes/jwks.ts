import type { FastifyPluginAsyncTypebox } from '@fastify/type-provider-typebox';
import type { JWK } from 'jose';
import Type from 'typebox';
import { answer } from '../answers/schemas.ts';

/** The public keys of access tokens, for other systems that verify them. */
export const jwksRoutes: FastifyPluginAsyncTypebox<{ keys: readonly JWK[] }> = async (app, { keys }) => {
  app.get(
    '/.well-known/jwks.json',
    {
      config: { public: true },
      schema: {
        operationId: 'getTokenKeys',
        tags: ['Accounts'],
        summary: 'Get the public keys of access tokens',
        description: 'A JSON Web Key Set (RFC 7517), for other systems that check access tokens.',
        response: {
          200: answer({
            keys: Type.Array(
              Type.Record(Type.String(), Type.String(), {
                examples: [
                  {
                    kty: 'OKP',
                    crv: 'Ed25519',
                    x: '11qYAYKxCrfVS_7TyWQHOg',
                    kid: 'k1',
                    alg: 'EdDSA',
                    use: 'sig',
                  },
                ],
              }),
            ),
          }),
        },
      },
    },
    async (_request, reply) => {
      reply.header('cache-control', 'public, max-age=300');
      return { keys: keys.map((key) => key as Record<string, string>) };
    },
  );
};
