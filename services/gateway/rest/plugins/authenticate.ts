// Room: what happens to every request beside its route: who asks, headers, documents. No route is named here.

import type { FastifyInstance, FastifyRequest } from 'fastify';
import { countedAddress } from '../../../../lib/client-address.ts';
import { codeOf, GoChatError } from '../../../../lib/errors.ts';
import type { AccessToken } from '../../../../lib/tokens.ts';
import type { Access } from '../../access/access.ts';
import type { RateLimit } from '../../limits/rate-limit.ts';

declare module 'fastify' {
  interface FastifyRequest {
    /** Who calls; absent on public routes. */
    caller?: AccessToken;
  }
  interface FastifyContextConfig {
    /** Open to everybody, without a token. */
    public?: boolean;
    /** Asked by whatever watches over the process, under any name and as often as it likes. */
    probe?: boolean;
  }
}

/** Who calls, and how often a user, and an address without a good token, may. */
export type CallerCounts = { access: Access; requests: RateLimit; anonymous: RateLimit };

/**
 * Asks for a bearer token on every route that is not marked public. Requests are counted by user, those without a good
 * token by address.
 */
export function authenticate(app: FastifyInstance, deps: CallerCounts): void {
  app.addHook('onRequest', async (request) => {
    if (request.is404 || request.routeOptions.config.probe) return;
    if (request.routeOptions.config.public) {
      deps.anonymous.take(countedAddress(request.ip));
      return;
    }
    const caller = await countingRefusals(deps.anonymous, request.ip, () =>
      deps.access.check(bearerToken(request.headers.authorization)),
    );
    request.caller = caller;
    deps.requests.take(caller.userId);
  });
}

/** Counts a request for which there is no route: nobody needs a token to learn that. */
export async function countUnknown(deps: CallerCounts, request: FastifyRequest): Promise<void> {
  const caller = await deps.access.check(bearerToken(request.headers.authorization)).catch(() => undefined);
  if (caller) deps.requests.take(caller.userId);
  else deps.anonymous.take(countedAddress(request.ip));
}

/** Counts for an address what is refused for want of a good token; RATE_LIMITED once that was too often. */
export async function countingRefusals<T>(
  anonymous: RateLimit,
  address: string,
  check: () => Promise<T>,
): Promise<T> {
  try {
    return await check();
  } catch (error) {
    if (codeOf(error) === 'UNAUTHENTICATED') anonymous.take(countedAddress(address));
    throw error;
  }
}

/** The user behind a request on a route that is not public. */
export function callerOf(request: FastifyRequest): AccessToken {
  if (!request.caller) throw new GoChatError('UNAUTHENTICATED', 'This request needs a valid access token.');
  return request.caller;
}

const bearerToken = (header: string | undefined): string | undefined =>
  header?.match(/^bearer +([^\s]+)$/i)?.[1];
