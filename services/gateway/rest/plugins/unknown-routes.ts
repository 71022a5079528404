import type { FastifyInstance, FastifyReply, FastifyRequest } from 'fastify';
import { GoChatError } from '../../../../lib/errors.ts';

/**
 * Tells a wrong method (405 with Allow) from a wrong address (404), whatever the body, after it has counted the request.
 * Probes and preflights are never counted, as where there is a route. Register it before the routes, so that it sees them all.
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

  /** The methods of a route that is named in full, else of all whose pattern fits. */
  function methodsOf(path: string): Set<string> {
    const named = routes.get(path);
    if (named) return named;
    const fitting = Array.from(routes).filter(([pattern]) => matches(pattern, path));
    return new Set(fitting.flatMap(([, methods]) => [...methods]));
  }

  function refuse(request: FastifyRequest, reply: FastifyReply): never {
    const path = pathOf(request);
    const allowed = methodsOf(path);
    if (allowed.size === 0) throw new GoChatError('NOT_FOUND', 'There is no such route.');
    reply.header('allow', [...allowed].sort().join(', '));
    throw new GoChatError('METHOD_NOT_ALLOWED', `This route takes only ${[...allowed].sort().join(', ')}.`);
  }

  // Before the body is read: nothing in it can make up for the address.
  app.addHook('onRequest', async (request, reply) => {
    if (!request.is404) return;
    if (!isPreflight(request) && !probes.has(pathOf(request))) await deps.count(request);
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
