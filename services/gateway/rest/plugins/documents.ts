import swagger from '@fastify/swagger';
import fastify, { type FastifyInstance } from 'fastify';
import { completeDocument, type Fields, openapi, type RouteFacts, withRules } from '../document/document.ts';
import { asyncapi } from './asyncapi.ts';

/** Path of the browsable API reference. */
export const reference = '/docs';

/** Serves /openapi.json, /asyncapi.json and the browsable reference at /docs. Register it before the routes. */
export async function serveDocuments(app: FastifyInstance): Promise<void> {
  const facts = new Map<string, RouteFacts>();
  // Add this hook first, so that it also sees the routes of the plugins below.
  app.addHook('onRoute', (route) => {
    if (isDocument(route.url)) route.config = { ...route.config, public: true };
    const { url, schema, config = {} } = route;
    if (config.public && schema) schema.security = [];
    for (const method of [route.method].flat()) {
      facts.set(`${method} ${documentedPath(url)}`, {
        method,
        isPublic: config.public === true,
        isProbe: config.probe === true,
        takesIdempotencyKey: config.replay !== undefined,
        takesRange: config.takesRange === true,
        errors: schema?.errors,
      });
    }
  });
  await app.register(swagger, {
    openapi,
    transform: ({ schema, url }) => ({
      url,
      schema: schema?.bodyRules
        ? { ...schema, body: withRules(schema.body as Fields, schema.bodyRules) }
        : schema,
    }),
    transformObject: (documented) =>
      completeDocument('openapiObject' in documented ? documented.openapiObject : {}, (method, path) =>
        facts.get(`${method} ${path}`),
      ),
    refResolver: {
      buildLocalReference: (json, _base, _fragment, index) => String(json.$id ?? `schema-${index}`),
    },
  });
  serveReference(app);
  app.get('/openapi.json', { schema: { hide: true } }, async () => app.swagger());
  app.get('/asyncapi.json', { schema: { hide: true } }, async () => asyncapi);
}

/**
 * The page and its scripts take 20 MB of memory, and half a second of a start. Most gateways are never asked for them, so
 * they are loaded with the first request.
 */
function serveReference(app: FastifyInstance): void {
  let pages: Promise<FastifyInstance> | undefined;
  for (const url of [reference, `${reference}/`, `${reference}/*`]) {
    app.get(url, { schema: { hide: true } }, async (request, reply) => {
      pages ??= loadReference();
      const answer = await (await pages).inject({ method: 'GET', url: request.url });
      return reply
        .code(answer.statusCode)
        .type(String(answer.headers['content-type'] ?? 'text/plain'))
        .send(answer.rawPayload);
    });
  }
}

async function loadReference(): Promise<FastifyInstance> {
  const { default: scalar } = await import('@scalar/fastify-api-reference');
  const app = fastify();
  await app.register(scalar, {
    routePrefix: reference,
    configuration: {
      // An absolute path, because the page is served with and without a slash at the end of its path.
      cdn: `${reference}/js/scalar.js`,
      url: '/openapi.json',
      pageTitle: 'GoChat API',
      withDefaultFonts: false,
      telemetry: false,
    },
  });
  await app.ready();
  return app;
}

const isDocument = (url: string): boolean =>
  url === '/openapi.json' || url === '/asyncapi.json' || url === reference || url.startsWith(`${reference}/`);

/** /users/:userId → /users/{userId}. */
const documentedPath = (url: string): string => url.replace(/:(\w+)/g, '{$1}');
