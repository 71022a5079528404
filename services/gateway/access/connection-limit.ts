import type { Server } from 'node:http';
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
 * holds memory and a file descriptor. The address of a trusted proxy is not counted, because all its clients connect
 * from it; their sockets are counted per client at the upgrade.
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
  server.maxConnections = options.maxSockets + otherConnections;
  server.on('drop', options.onRefused);
  if (maxSocketsPerAddress === 0) return;

  server.on('connection', (socket: Socket) => {
    const address = addressOf(socket.remoteAddress ?? '') ?? '';
    if (proxies.isTrusted(address, 0)) return;
    const key = countedAddress(address);
    const count = counts.get(key) ?? 0;
    if (count >= maxSocketsPerAddress * connectionsPerSocket) {
      options.onRefused();
      writeProblem(socket, tooMany);
      socket.destroySoon();
      return;
    }
    counts.set(key, count + 1);
    socket.once('close', () => {
      const left = (counts.get(key) ?? 1) - 1;
      if (left > 0) counts.set(key, left);
      else counts.delete(key);
    });
  });
}
