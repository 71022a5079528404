import type { FastifyInstance } from 'fastify';
import { isOwnOrigin, type Origins } from '../../door/origins.ts';

const methods = 'GET, POST, PUT, PATCH, DELETE';
const requestHeaders = 'Authorization, Content-Type, Idempotency-Key, If-None-Match';
const exposedHeaders = 'ETag, Retry-After, Location';
const maxAgeSeconds = '600';

/**
 * Lets pages of the allowed origins call from a browser. CORS credentials are off, because the token is sent in a header,
 * which no page sends by accident. Other origins get no CORS headers at all. Register this before answerUnknownRoutes.
 */
export function allowOrigins(app: FastifyInstance, origins: Origins): void {
  app.addHook('onRequest', async (request, reply) => {
    const { origin } = request.headers;
    if (origins.kind === 'listed') reply.header('vary', 'Origin');
    if (origin === undefined || isOwnOrigin(origin, request.headers.host) || !origins.allows(origin)) return;
    reply.headers({
      'access-control-allow-origin': origins.kind === 'all' ? '*' : origin,
      'access-control-expose-headers': exposedHeaders,
    });
    if (request.method !== 'OPTIONS' || request.headers['access-control-request-method'] === undefined)
      return;
    return reply
      .code(204)
      .headers({
        'access-control-allow-methods': methods,
        'access-control-allow-headers': requestHeaders,
        'access-control-max-age': maxAgeSeconds,
      })
      .send();
  });
}
