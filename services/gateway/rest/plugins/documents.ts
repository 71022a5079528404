import swagger from '@fastify/swagger';
import scalar from '@scalar/fastify-api-reference';
import type { FastifyInstance } from 'fastify';
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
  app.get('/openapi.json', { schema: { hide: true } }, async () => app.swagger());
  app.get('/asyncapi.json', { schema: { hide: true } }, async () => asyncapi);
}

const isDocument = (url: string): boolean =>
  url === '/openapi.json' || url === '/asyncapi.json' || url === reference || url.startsWith(`${reference}/`);

/** /users/:userId → /users/{userId}. */
const documentedPath = (url: string): string => url.replace(/:(\w+)/g, '{$1}');
