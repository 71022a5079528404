import { randomUUID } from 'node:crypto';
import type { IncomingMessage, Server } from 'node:http';
import type { Socket } from 'node:net';
import { type WebSocket, WebSocketServer } from 'ws';
import { fault, GoChatError, isFault } from '../../../lib/errors.ts';
import type { Logger } from '../../../lib/log.ts';
import type { AccessToken } from '../../../lib/tokens.ts';
import type { Access } from '../access.ts';
import type { GatewayMetrics } from '../gateway-metrics.ts';
import { writeProblem } from '../plugins/problems.ts';
import { fromThrown } from '../problem.ts';

export type Upgrades = {
  /** From now on upgrades are refused with 503. */
  stop(): void;
};

const path = '/ws';
const protocol = 'gochat.v1';
const tokenPrefix = 'bearer.';
/** Bytes of a frame. More closes with 1009. */
const maxFrameBytes = 64 * 1024;

/**
 * Takes WebSocket upgrades on a server: the token is checked before anything is upgraded. It comes as ?token= or
 * as a subprotocol beside gochat.v1, and is never logged.
 */
export function acceptUpgrades(
  server: Server,
  deps: {
    access: Access;
    /** Whether there is room for one more. */
    hasRoom: () => boolean;
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
    // Pings are answered within the rate limits.
    autoPong: false,
    maxPayload: maxFrameBytes,
    handleProtocols: (offered) => (offered.has(protocol) ? protocol : false),
  });

  async function check(request: IncomingMessage): Promise<AccessToken> {
    const url = parseUrl(request.url);
    if (url?.pathname !== path && url?.pathname !== `${path}/`)
      throw new GoChatError('NOT_FOUND', 'There is no such route.');
    if (request.method !== 'GET') throw new GoChatError('METHOD_NOT_ALLOWED', 'A WebSocket begins with GET.');
    if (stopped || !deps.hasRoom()) throw full();
    const access = await deps.access.check(url.searchParams.get('token') || tokenFromProtocols(request));
    if (stopped) throw full();
    return access;
  }

  server.on('upgrade', (request: IncomingMessage, stream: Socket, head: Buffer) => {
    const onEarlyError = () => stream.destroy();
    stream.on('error', onEarlyError);
    check(request).then(
      (access) => {
        stream.off('error', onEarlyError);
        if (stream.destroyed) return;
        leaveOutEmptyProtocols(request);
        websockets.handleUpgrade(request, stream, head, (socket) =>
          deps.onSocket(socket, stream, access, randomUUID()),
        );
      },
      (thrown: unknown) => {
        const error = fromThrown(thrown) ?? fault(thrown);
        if (isFault(error)) deps.log.error({ err: thrown }, 'upgrade failed');
        deps.metrics.handshakesRefused.inc({ code: error.code });
        writeProblem(stream, error);
      },
    );
  });
  return {
    stop: () => {
      stopped = true;
    },
  };
}

const full = () => new GoChatError('UNAVAILABLE', 'This gateway takes no more connections. Try another one.');

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

/** RFC 9110, 5.6.1: a list may have empty elements, which ws does not take. */
function leaveOutEmptyProtocols(request: IncomingMessage): void {
  const offered = offeredProtocols(request);
  if (offered.length > 0) request.headers['sec-websocket-protocol'] = offered.join(', ');
  else delete request.headers['sec-websocket-protocol'];
}
