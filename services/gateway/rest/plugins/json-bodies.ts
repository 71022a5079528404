import { isUtf8 } from 'node:buffer';
import type { IncomingMessage } from 'node:http';
import type { FastifyInstance } from 'fastify';
import { GoChatError } from '../../../../lib/errors.ts';

/** Accepts JSON bodies in UTF-8 only. An empty body counts as no body, whatever its content type is. */
export function acceptJsonBodies(app: FastifyInstance): void {
  app.removeAllContentTypeParsers();
  app.addContentTypeParser('application/json', { parseAs: 'buffer' }, (request, bytes: Buffer, done) => {
    const encoding = request.headers['content-encoding'];
    if (encoding && encoding !== 'identity') {
      return done(new GoChatError('UNSUPPORTED_MEDIA_TYPE', 'Send the body uncompressed.'));
    }
    if (bytes.length === 0) return done(null, undefined);
    // A decoder would replace invalid bytes by U+FFFD, and clients would get back other text than they sent.
    if (!isUtf8(bytes)) return done(new GoChatError('INVALID_ARGUMENT', 'The body is not UTF-8.'));
    try {
      done(null, JSON.parse(bytes.toString('utf8')));
    } catch {
      done(new GoChatError('INVALID_ARGUMENT', 'The body is not JSON.'));
    }
  });
  // Browsers and HTTP clients send a default content type (that of a form) with a POST without a body.
  app.addHook('onRequest', async ({ raw }) => {
    if (!mayHaveBody(raw)) delete raw.headers['content-type'];
  });
  // In a chunked request, only the end shows that the body is empty: the first byte decides.
  app.addContentTypeParser('*', (_request, body, done) => {
    body.once('data', () =>
      done(new GoChatError('UNSUPPORTED_MEDIA_TYPE', 'Send the body as application/json.')),
    );
    body.once('end', () => done(null, undefined));
    body.once('error', (error) => done(error, undefined));
  });
}

const mayHaveBody = ({ headers }: IncomingMessage): boolean =>
  headers['transfer-encoding'] !== undefined || !/^0*$/.test(headers['content-length'] ?? '');
