import { isUtf8 } from 'node:buffer';
import type { IncomingMessage } from 'node:http';
import type { FastifyInstance } from 'fastify';
import { GoChatError } from '../../../../lib/errors.ts';

/** The only body there is: JSON in UTF-8. Nothing sent counts as no body, whatever the type says. */
export function takeJsonBodies(app: FastifyInstance): void {
  app.removeAllContentTypeParsers();
  app.addContentTypeParser('application/json', { parseAs: 'buffer' }, (request, bytes: Buffer, done) => {
    const encoding = request.headers['content-encoding'];
    if (encoding && encoding !== 'identity') {
      return done(new GoChatError('UNSUPPORTED_MEDIA_TYPE', 'Send the body uncompressed.'));
    }
    if (bytes.length === 0) return done(null, undefined);
    // A decoder would put U+FFFD in the place of broken bytes, and nothing would come back as it was sent.
    if (!isUtf8(bytes)) return done(new GoChatError('INVALID_ARGUMENT', 'The body is not UTF-8.'));
    try {
      done(null, JSON.parse(bytes.toString('utf8')));
    } catch {
      done(new GoChatError('INVALID_ARGUMENT', 'The body is not JSON.'));
    }
  });
  // Browsers and HTTP clients name a type of their own (a form's) for a POST that has no body.
  app.addHook('onRequest', async ({ raw }) => {
    if (!mayHaveBody(raw)) delete raw.headers['content-type'];
  });
  // In chunks nobody knows before the end that there is nothing: the first byte decides.
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
