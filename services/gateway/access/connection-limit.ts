import type { IncomingMessage, Server } from 'node:http';
import type { Socket } from 'node:net';
import { countedAddress } from '../../../lib/client-address.ts';
import { addressOf } from '../door/client-address.ts';
import type { TrustedProxies } from '../door/trusted-proxies.ts';
import { RateLimitedError } from '../limits/rate-limit.ts';
import { writeProblem } from '../problems/problems.ts';

/** Connections allowed in addition to WebSockets: REST calls, handshakes, and connections without a request yet. */
const otherConnections = 10_000;
/** Connections allowed per address and WebSocket: the socket itself, and one connection of another kind. */
const connectionsPerSocket = 2;
const retryMs = 10_000;

const tooMany = new RateLimitedError('Too many connections from this address. Close some first.', retryMs);

/**
 * Limits the number of connections as soon as they are accepted, because a connection that never sends a request also
 * holds memory and a file descriptor. The connections of a proxy are not counted, because all its clients connect from
 * its address; their sockets are counted per client at the upgrade. A peer that is not known as a proxy yet is counted
 * until the connection brings a request that it forwards.
 */
export function limitConnections(
  server: Server,
  options: {
    maxSockets: number;
    maxSocketsPerAddress: number;
    proxies: TrustedProxies;
    onRefused: () => void;
  },
): void {
  const { maxSocketsPerAddress, proxies } = options;
  const counts = new Map<string, number>();
  /** The key of each counted connection. */
  const counted = new WeakMap<Socket, string>();
  server.maxConnections = options.maxSockets + otherConnections;
  server.on('drop', options.onRefused);
  if (maxSocketsPerAddress === 0) return;

  function release(socket: Socket): void {
    const key = counted.get(socket);
    if (key === undefined) return;
    counted.delete(socket);
    const left = (counts.get(key) ?? 1) - 1;
    if (left > 0) counts.set(key, left);
    else counts.delete(key);
  }

  server.on('connection', (socket: Socket) => {
    const address = peerOf(socket);
    if (proxies.isProxyPeer(address)) return;
    const key = countedAddress(address);
    const count = counts.get(key) ?? 0;
    if (count >= maxSocketsPerAddress * connectionsPerSocket) {
      options.onRefused();
      writeProblem(socket, tooMany);
      socket.destroySoon();
      return;
    }
    counts.set(key, count + 1);
    counted.set(socket, key);
    socket.once('close', () => release(socket));
  });

  function releaseProxy({ headers, socket }: IncomingMessage): void {
    if (headers['x-forwarded-for'] !== undefined && proxies.isTrusted(peerOf(socket), 0)) release(socket);
  }
  if (!proxies.any) return;
  server.on('request', releaseProxy);
  server.on('upgrade', releaseProxy);
}

const peerOf = ({ remoteAddress }: Socket): string => addressOf(remoteAddress ?? '') ?? '';
