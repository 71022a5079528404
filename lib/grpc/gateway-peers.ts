import { LRUCache } from 'lru-cache';
import { PusherServiceService } from '../gen/im_gateway/v1/pusher.ts';
import type { GatewayInfo } from '../gen/im_repo/v1/online_status.ts';
import { createClient, openChannel } from './client.ts';
import type { GrpcChannel, UnaryClient } from './definition.ts';
import type { GrpcToken } from './token.ts';

export type Peer = UnaryClient<typeof PusherServiceService>;

export type GatewayPeers = { of(gateway: Pick<GatewayInfo, 'pushAddress' | 'bootId'>): Peer; close(): void };

const maxPeers = 200;
const idleMs = 10 * 60_000;

/** Keeps one gRPC client per gateway process (address and boot id). Clients idle for 10 minutes are closed. */
export function createGatewayPeers(token: GrpcToken | undefined): GatewayPeers {
  const peers = new LRUCache<string, { channel: GrpcChannel; peer: Peer }>({
    max: maxPeers,
    ttl: idleMs,
    updateAgeOnGet: true,
    dispose: ({ channel }) => channel.close(),
  });
  return {
    of(gateway) {
      const key = `${gateway.pushAddress} ${gateway.bootId}`;
      const known = peers.get(key);
      if (known) return known.peer;
      const channel = openChannel(gateway.pushAddress, token);
      const peer = createClient(channel, PusherServiceService);
      peers.set(key, { channel, peer });
      return peer;
    },
    close: () => peers.clear(),
  };
}
