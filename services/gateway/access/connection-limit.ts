import type { Server } from 'node:http';
import type { Socket } from 'node:net';
import { countedAddress } from '../../../lib/client-address.ts';
import { addressOf } from '../door/client-address.ts';
import type { TrustedProxies } from '../door/trusted-proxies.ts';
import { RateLimitedError } from '../limits/rate-limit.ts';
import { writeProblem } from '../problems/problems.ts';

/** Connections beside the sockets: REST calls, handshakes, and those over which nothing has come yet. */
const otherConnections = 10_000;
/** An address may have as many of those as it may have sockets. */
const perAddressShare = 2;
const retryMs = 10_000;

const tooMany = new RateLimitedError('Too many connections from this address. Close some first.', retryMs);

/**
 * Bounds connections from the moment they are accepted, since one that never sends a request holds memory and a file
 * handle too. All clients of a trusted proxy connect from its address, which is therefore not counted: their sockets
 * are counted when they ask for the upgrade.
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
    if (count >= maxSocketsPerAddress * perAddressShare) {
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
