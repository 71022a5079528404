import type { FastifyInstance, FastifyReply, FastifyRequest } from 'fastify';
import { GoChatError } from '../../../lib/errors.ts';
import type { Origins } from '../door/origins.ts';
import { encodingFor, pagePolicy, type WebClient } from './web-client.ts';

/** Files of the web client outside of /assets, whose names must stay. */
const fixedPaths = [
  '/',
  '/embed',
  '/sw.js',
  '/manifest.webmanifest',
  '/icon.svg',
  '/icon-192.png',
  '/icon-512.png',
];

/** Serves the web client at /. The routes of the API go before it, because all its paths are known. */
export async function webClientRoutes(
  app: FastifyInstance,
  { webClient, origins }: { webClient: WebClient; origins: Origins },
): Promise<void> {
  const config = { public: true, isUncounted: true };

  function serve(request: FastifyRequest, reply: FastifyReply) {
    const path = request.url.split('?', 1)[0] ?? '/';
    const file = webClient.file(path);
    if (!file) throw new GoChatError('NOT_FOUND', 'There is no such file. Is the web client built?');
    reply.headers({
      'cache-control': file.isImmutable ? 'public, max-age=31536000, immutable' : 'no-cache',
      'content-security-policy': pagePolicy(path, origins),
      etag: file.etag,
    });
    if (request.headers['if-none-match']?.includes(file.etag)) return reply.code(304).send();
    const encoding = encodingFor(file, request.headers['accept-encoding']);
    const vary = [reply.getHeader('vary'), 'Accept-Encoding'].filter((name) => name !== undefined).join(', ');
    reply.header('vary', vary).type(file.type);
    if (encoding !== 'identity') reply.header('content-encoding', encoding);
    return reply.send(file.encodings[encoding]);
  }

  for (const url of [...fixedPaths, '/assets/*']) {
    app.get(url, { config, schema: { hide: true } }, async (request, reply) => serve(request, reply));
  }
}
