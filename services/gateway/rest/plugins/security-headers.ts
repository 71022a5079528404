import type { FastifyInstance } from 'fastify';
import { GoChatError } from '../../../../lib/errors.ts';

/** Answers are data: no browser may sniff, frame or keep them. */
const forData = "default-src 'none'; frame-ancestors 'none'";
/** The API reference is a page of its own, with everything it needs served from here. */
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
    // HTTP/1.0 knows no Host header; whoever builds an address from it gets one all the same.
    const { headers, httpVersion } = request.raw;
    if (httpVersion === '1.0') headers.host ??= 'gateway';
    if (headers.host === undefined || !URL.canParse(`http://${request.host}`)) {
      throw new GoChatError('INVALID_ARGUMENT', 'The Host header is missing or is not a host name.');
    }
  });
}
