import type { FastifyInstance } from 'fastify';
import { GoChatError } from '../../../../lib/errors.ts';

/** For answers, which are data: a page made of them may load nothing and may not be framed. */
const forData = "default-src 'none'; frame-ancestors 'none'";
/** For the API reference, a page that loads everything it needs from this gateway. */
const forReference =
  "default-src 'self'; script-src 'self' 'unsafe-inline'; style-src 'self' 'unsafe-inline'; " +
  "img-src 'self' data: blob:; font-src 'self' data:; connect-src 'self'; frame-ancestors 'none'";

export function sendSecurityHeaders(app: FastifyInstance): void {
  app.addHook('onRequest', async (request, reply) => {
    const reference = request.url === '/docs' || request.url.startsWith('/docs/');
    reply.headers({
      'x-content-type-options': 'nosniff',
      'referrer-policy': 'no-referrer',
      'content-security-policy': reference ? forReference : forData,
    });
    if (!reference) reply.header('cache-control', 'no-store');
    // HTTP/1.0 does not require a Host header. Set one, because other code builds URLs from it.
    const { headers, httpVersion } = request.raw;
    if (httpVersion === '1.0') headers.host ??= 'gateway';
    if (headers.host === undefined || !URL.canParse(`http://${request.host}`)) {
      throw new GoChatError('INVALID_ARGUMENT', 'The Host header is missing or is not a host name.');
    }
  });
}
