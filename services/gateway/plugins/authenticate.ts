import type { FastifyInstance, FastifyRequest } from 'fastify';
import { GoChatError } from '../../../lib/errors.ts';
import type { AccessToken } from '../../../lib/tokens.ts';
import type { Access } from '../access.ts';
import type { RateLimit } from '../rate-limit.ts';

declare module 'fastify' {
  interface FastifyRequest {
    /** Who calls; absent on public routes. */
    caller?: AccessToken;
  }
  interface FastifyContextConfig {
    /** Open to everybody, without a token. */
    public?: boolean;
  }
}

/** Asks for a bearer token on every route that is not marked public, and counts the user's requests. */
export function authenticate(app: FastifyInstance, deps: { access: Access; requests: RateLimit }): void {
  app.addHook('onRequest', async (request) => {
    if (request.is404 || request.routeOptions.config.public) return;
    const caller = await deps.access.check(bearerToken(request.headers.authorization));
    request.caller = caller;
    deps.requests.take(caller.userId);
  });
}

/** The user behind a request on a route that is not public. */
export function callerOf(request: FastifyRequest): AccessToken {
  if (!request.caller) throw new GoChatError('UNAUTHENTICATED', 'An access token is needed.');
  return request.caller;
}

const bearerToken = (header: string | undefined): string | undefined =>
  header?.match(/^bearer +([^\s]+)$/i)?.[1];
