import { randomUUID } from 'node:crypto';
import type { IncomingMessage, Server } from 'node:http';
import type { Socket } from 'node:net';
import { type WebSocket, WebSocketServer } from 'ws';
import { countedAddress } from '../../../lib/client-address.ts';
import { fault, GoChatError, isFault } from '../../../lib/errors.ts';
import type { Logger } from '../../../lib/log.ts';
import type { AccessToken } from '../../../lib/tokens.ts';
import type { Access } from '../access/access.ts';
import type { ClientAddress } from '../door/client-address.ts';
import type { Hosts } from '../door/hosts.ts';
import { isOwnOrigin, type Origins } from '../door/origins.ts';
import type { RateLimit } from '../limits/rate-limit.ts';
import type { GatewayMetrics } from '../metrics/gateway-metrics.ts';
import { fromThrown } from '../problems/problem.ts';
import { writeProblem } from '../problems/problems.ts';
import { countingRefusals } from '../rest/plugins/authenticate.ts';
import { type Admission, full, type Place } from './admission.ts';

export type Upgrades = {
  /** Refuses all further upgrades with 503. */
  stop(): void;
};

const path = '/ws';
const protocol = 'gochat.v1';
const tokenPrefix = 'bearer.';
/** Maximum size of a frame. A larger one closes the socket with 1009. */
const maxFrameBytes = 64 * 1024;

/**
 * Accepts WebSocket upgrades on an HTTP server. The access token is checked before the upgrade. It is sent as ?token= or as
 * a subprotocol in addition to gochat.v1, and is never logged.
 */
export function acceptUpgrades(
  server: Server,
  deps: {
    access: Access;
    admission: Admission;
    clientAddress: ClientAddress;
    hosts: Hosts;
    origins: Origins;
    /** Limits the handshakes without a valid token, per address. */
    anonymous: RateLimit;
    onSocket: (socket: WebSocket, stream: Socket, access: AccessToken, sessionId: string) => void;
    metrics: GatewayMetrics;
    log: Logger;
  },
): Upgrades {
  let stopped = false;
  const websockets = new WebSocketServer({
    noServer: true,
    clientTracking: false,
    perMessageDeflate: false,
    // The gateway answers pings itself, because they count in the rate limits.
    autoPong: false,
    maxPayload: maxFrameBytes,
    handleProtocols: (offered) => (offered.has(protocol) ? protocol : false),
  });

  /** Makes all the checks that come before the token, the cheapest first, and reserves a place. */
  function reserve(request: IncomingMessage): Place {
    const { host, origin } = request.headers;
    deps.hosts.check(host);
    const address = deps.clientAddress(request);
    const refusal = refusalOf(request);
    if (refusal) {
      deps.anonymous.take(countedAddress(address));
      throw refusal;
    }
    if (origin !== undefined && !isOwnOrigin(origin, host) && !deps.origins.allows(origin))
      throw originRefused();
    if (stopped) throw full();
    return deps.admission.reserve(address);
  }

  async function check(request: IncomingMessage): Promise<AccessToken> {
    const token = parseUrl(request.url)?.searchParams.get('token') || tokenFromProtocols(request);
    const access = await countingRefusals(deps.anonymous, deps.clientAddress(request), () =>
      deps.access.check(token),
    );
    if (stopped) throw full();
    return access;
  }

  function refuse(stream: Socket, thrown: unknown): void {
    const error = fromThrown(thrown) ?? fault(thrown);
    if (isFault(error)) deps.log.error({ err: thrown }, 'upgrade failed');
    deps.metrics.handshakesRefused.inc({ code: error.code });
    writeProblem(stream, error);
  }

  server.on('upgrade', (request: IncomingMessage, stream: Socket, head: Buffer) => {
    const onEarlyError = () => stream.destroy();
    stream.on('error', onEarlyError);
    let place: Place;
    try {
      place = reserve(request);
    } catch (error) {
      refuse(stream, error);
      return;
    }
    stream.once('close', place.release);
    check(request)
      .then((access) => {
        // Admit and upgrade in one turn of the event loop, so that concurrent handshakes of a user are all counted.
        if (stream.destroyed) return;
        place.admit(access.userId);
        stream.off('error', onEarlyError);
        removeEmptyProtocols(request);
        websockets.handleUpgrade(request, stream, head, (socket) =>
          deps.onSocket(socket, stream, access, randomUUID()),
        );
      })
      .catch((error: unknown) => refuse(stream, error));
  });
  return {
    stop: () => {
      stopped = true;
    },
  };
}

/** Undefined if the request names the path and method of a handshake. */
function refusalOf({ method, url }: IncomingMessage): GoChatError | undefined {
  const pathname = parseUrl(url)?.pathname;
  if (pathname !== path && pathname !== `${path}/`)
    return new GoChatError('NOT_FOUND', 'There is no such route.');
  if (method !== 'GET') return new GoChatError('METHOD_NOT_ALLOWED', 'A WebSocket begins with GET.');
  return undefined;
}

const originRefused = () =>
  new GoChatError(
    'PERMISSION_DENIED',
    'Pages of this origin may not connect. ALLOWED_ORIGINS names those that may.',
  );

function parseUrl(url: string | undefined): URL | undefined {
  const base = 'http://gateway';
  return url !== undefined && URL.canParse(url, base) ? new URL(url, base) : undefined;
}

const offeredProtocols = (request: IncomingMessage): string[] =>
  request.headers['sec-websocket-protocol']
    ?.split(',')
    .map((name) => name.trim())
    .filter((name) => name !== '') ?? [];

function tokenFromProtocols(request: IncomingMessage): string | undefined {
  return offeredProtocols(request)
    .find((name) => name.startsWith(tokenPrefix))
    ?.slice(tokenPrefix.length);
}

/** Removes empty elements from the list of subprotocols. RFC 9110, 5.6.1 allows them, but ws refuses them. */
function removeEmptyProtocols(request: IncomingMessage): void {
  const offered = offeredProtocols(request);
  if (offered.length > 0) request.headers['sec-websocket-protocol'] = offered.join(', ');
  else delete request.headers['sec-websocket-protocol'];
}
