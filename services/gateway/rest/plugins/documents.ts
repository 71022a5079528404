import swagger from '@fastify/swagger';
import scalar from '@scalar/fastify-api-reference';
import type { FastifyInstance } from 'fastify';
import { asyncapi } from './asyncapi.ts';

const description = `GoChat over HTTP. Errors are \`application/problem+json\` (RFC 9457); \`code\` names the problem.
POSTs that create take an \`Idempotency-Key\`, those that answer tokens excepted: a repeat gets the first status and the same resource as it is now. The WebSocket at \`/ws\` is described in [/asyncapi.json](/asyncapi.json).`;

/** Where the browsable reference is. */
export const reference = '/docs';

/** Serves /openapi.json, /asyncapi.json and the browsable reference at /docs. Register it before the routes. */
export async function serveDocuments(app: FastifyInstance): Promise<void> {
  // First, so that it also sees the routes of the plugins below.
  app.addHook('onRoute', (route) => {
    if (isDocument(route.url)) route.config = { ...route.config, public: true };
    if (route.schema?.response && !route.schema.hide) {
      route.schema = { ...route.schema, response: { ...route.schema.response, default: problem } };
      if (route.config?.public) route.schema.security = [];
    }
  });
  await app.register(swagger, {
    openapi: {
      openapi: '3.1.0',
      info: { title: 'GoChat', version: '1.0.0', description },
      components: { securitySchemes: { bearer: { type: 'http', scheme: 'bearer', bearerFormat: 'JWT' } } },
      security: [{ bearer: [] }],
    },
    refResolver: {
      buildLocalReference: (json, _base, _fragment, index) => String(json.$id ?? `schema-${index}`),
    },
  });
  await app.register(scalar, {
    routePrefix: reference,
    configuration: {
      // Absolute, since the page is read with and without a slash at the end of its address.
      cdn: `${reference}/js/scalar.js`,
      url: '/openapi.json',
      pageTitle: 'GoChat API',
      withDefaultFonts: false,
      telemetry: false,
    },
  });
  app.get('/openapi.json', { schema: { hide: true } }, async () => app.swagger());
  app.get('/asyncapi.json', { schema: { hide: true } }, async () => asyncapi);
}

const isDocument = (url: string): boolean =>
  url === '/openapi.json' || url === '/asyncapi.json' || url === reference || url.startsWith(`${reference}/`);

const problem = {
  description: 'What went wrong',
  content: { 'application/problem+json': { schema: { $ref: 'Problem#' } } },
};
