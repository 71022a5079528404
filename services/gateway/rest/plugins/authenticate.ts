// Room: the plugins for all requests: authentication, limits, headers, repeats, documents. They contain no route of a
// resource.

import type { FastifyInstance, FastifyRequest } from 'fastify';
import { countedAddress } from '../../../../lib/client-address.ts';
import { codeOf, GoChatError } from '../../../../lib/errors.ts';
import type { AccessToken } from '../../../../lib/tokens.ts';
import type { Access } from '../../access/access.ts';
import type { RateLimit } from '../../limits/rate-limit.ts';

declare module 'fastify' {
  interface FastifyRequest {
    /** The access token of the calling user; absent on public routes. */
    caller?: AccessToken;
  }
  interface FastifyContextConfig {
    /** The route needs no access token. */
    public?: boolean;
    /** The route needs an access token or a signature in its address, which it checks itself. */
    signed?: boolean;
    /** The route answers parts of a file: it may answer 416. */
    takesRange?: boolean;
    /** The route is a probe for monitoring, which has no rate limit and answers for any host name. */
    probe?: boolean;
    /** The route answers a file from memory: one address may serve many people who open the web client. */
    isUncounted?: boolean;
  }
}

/** The check of access tokens, and the rate limits: `requests` per user, `anonymous` per address without a valid token. */
export type CallerCounts = { access: Access; requests: RateLimit; anonymous: RateLimit };

/**
 * Requires a bearer token on every route that is not public. Requests are counted per user; requests without a valid
 * token are counted per address.
 */
export function authenticate(app: FastifyInstance, deps: CallerCounts): void {
  app.addHook('onRequest', async (request) => {
    if (request.is404 || request.routeOptions.config.probe) return;
    const { public: isPublic, signed, isUncounted } = request.routeOptions.config;
    if (signed && request.headers.authorization === undefined) return;
    if (isPublic) {
      if (isUncounted) return;
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

/** Counts a request without a route. The request needs no token. */
export async function countUnknown(deps: CallerCounts, request: FastifyRequest): Promise<void> {
  const caller = await deps.access.check(bearerToken(request.headers.authorization)).catch(() => undefined);
  if (caller) deps.requests.take(caller.userId);
  else deps.anonymous.take(countedAddress(request.ip));
}

/** Runs a token check, and counts an UNAUTHENTICATED result for the address. Rejects with RATE_LIMITED after too many. */
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

/** The access token of a request on a route that is not public. Throws UNAUTHENTICATED without one. */
export function callerOf(request: FastifyRequest): AccessToken {
  if (!request.caller) throw new GoChatError('UNAUTHENTICATED', 'This request needs a valid access token.');
  return request.caller;
}

const bearerToken = (header: string | undefined): string | undefined =>
  header?.match(/^bearer +([^\s]+)$/i)?.[1];
