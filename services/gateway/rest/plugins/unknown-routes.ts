import type { FastifyInstance, FastifyReply, FastifyRequest } from 'fastify';
import { GoChatError } from '../../../../lib/errors.ts';
import { hasUndecodablePath } from './routed-url.ts';

/**
 * Answers requests without a route: 405 with Allow for a wrong method, 404 for a wrong path, 400 for a path that cannot be
 * decoded, whatever the body is. The request is counted first, unless it is a preflight or names the path of a probe,
 * which are never counted. Register this before the routes, so that it sees them all.
 *
 * The router answers PUT /friends/requests by PUT /friends/:userId, because no other route takes this method. It is
 * refused, too: the path names the route /friends/requests.
 */
export function answerUnknownRoutes(
  app: FastifyInstance,
  deps: { count(request: FastifyRequest): Promise<void> },
): void {
  const routes = new Map<string, Set<string>>();
  const probes = new Set<string>();
  app.addHook('onRoute', ({ url, method, config }) => {
    if (config?.probe) probes.add(url);
    const methods = routes.get(url) ?? new Set<string>();
    for (const name of [method].flat()) methods.add(name);
    routes.set(url, methods);
  });

  /** The methods of the route whose pattern equals the path, or else of all routes whose pattern matches it. */
  function methodsOf(path: string): Set<string> {
    const named = routes.get(path);
    if (named) return named;
    const matching = Array.from(routes).filter(([pattern]) => matches(pattern, path));
    return new Set(matching.flatMap(([, methods]) => [...methods]));
  }

  /** False if a route has exactly this path, but not this method. */
  const takesMethod = (path: string, method: string): boolean => routes.get(path)?.has(method) ?? true;

  function refuse(request: FastifyRequest, reply: FastifyReply): never {
    if (hasUndecodablePath(request)) {
      throw new GoChatError('INVALID_ARGUMENT', 'The path is not valid UTF-8 text.');
    }
    const path = pathOf(request);
    const allowed = methodsOf(path);
    if (allowed.size === 0) throw new GoChatError('NOT_FOUND', 'There is no such route.');
    reply.header('allow', [...allowed].sort().join(', '));
    throw new GoChatError('METHOD_NOT_ALLOWED', `This route takes only ${[...allowed].sort().join(', ')}.`);
  }

  // Answer before the body is read, because no body can make up for a wrong path.
  app.addHook('onRequest', async (request, reply) => {
    const path = pathOf(request);
    if (!request.is404 && takesMethod(path, request.method)) return;
    if (!isPreflight(request) && !probes.has(path)) await deps.count(request);
    refuse(request, reply);
  });
  app.setNotFoundHandler(refuse);
}

const pathOf = ({ url }: FastifyRequest): string => url.split('?', 1)[0] ?? '';

const isPreflight = ({ method, headers }: FastifyRequest): boolean =>
  method === 'OPTIONS' && headers['access-control-request-method'] !== undefined;

function matches(pattern: string, path: string): boolean {
  const expected = pattern.split('/');
  const given = path.split('/');
  return (
    expected.length === given.length &&
    expected.every((part, index) => (part.startsWith(':') ? given[index] !== '' : part === given[index]))
  );
}
