import type { Socket } from 'node:net';
import type { FastifyInstance, FastifyReply, FastifyRequest } from 'fastify';
import { fault, GoChatError, isFault } from '../../../lib/errors.ts';
import { fromThrown, toProblem } from './problem.ts';

/** Answers every error of a REST request with application/problem+json. */
export function answerProblems(app: FastifyInstance): void {
  app.setErrorHandler((error, request, reply) => sendProblem(error, request, reply));
}

export function sendProblem(thrown: unknown, request: FastifyRequest, reply: FastifyReply): FastifyReply {
  const error = fromThrown(thrown) ?? fault(thrown);
  if (isFault(error)) {
    // Log the route's pattern, not the URL: a URL may hold personal data or secrets.
    request.log.error(
      { err: thrown, method: request.method, route: request.routeOptions?.url },
      'request failed',
    );
  }
  const { status, headers, body } = toProblem(error);
  return reply.code(status).headers(headers).send(body);
}

/** Answers input that is not valid HTTP: the parser failed before there was a request. */
export function refuseBrokenHttp(error: NodeJS.ErrnoException, socket: Socket): void {
  if (error.code === 'ECONNRESET' || !socket.writable) {
    socket.destroy();
    return;
  }
  const problem = new GoChatError(
    'INVALID_ARGUMENT',
    sentences[error.code ?? ''] ?? 'This is not valid HTTP.',
  );
  writeProblem(socket, problem);
}

const sentences: Record<string, string> = {
  HPE_HEADER_OVERFLOW: 'The headers are too large.',
  ERR_HTTP_REQUEST_TIMEOUT: 'The request did not arrive in time.',
};

/** How long a refused client may take to close the connection. */
const lingerMs = 1000;

/** Writes a problem as a complete HTTP answer to a socket that has no reply object, and closes the connection. */
export function writeProblem(socket: Socket, error: GoChatError): void {
  const { status, headers, body } = toProblem(error);
  const lines = Object.entries({ ...headers, 'content-length': String(Buffer.byteLength(body)) });
  socket.end(
    `HTTP/1.1 ${status} ${error.code}\r\nconnection: close\r\n` +
      `${lines.map(([name, value]) => `${name}: ${value}\r\n`).join('')}\r\n${body}`,
  );
  // Go on reading, because otherwise the client's close is never noticed. A client that does not close is cut off.
  socket.resume();
  const cutOff = setTimeout(() => socket.destroy(), lingerMs);
  socket.once('close', () => clearTimeout(cutOff));
}
