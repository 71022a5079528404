import { GoChatError } from '../../lib/errors.ts';
import { type Push, PusherServiceService } from '../../lib/gen/im_gateway/v1/pusher.ts';
import { createClient, openChannel } from '../../lib/grpc/client.ts';
import type { RepoClient } from '../../lib/grpc/clients.ts';
import type { GrpcChannel, UnaryClient } from '../../lib/grpc/definition.ts';
import type { GrpcToken } from '../../lib/grpc/token.ts';
import type { Logger } from '../../lib/log.ts';

const deadlineMs = 3000;
const listMaxAgeMs = 1000;
/** Maximum size of one call, well below gRPC's limit of 4 MiB. */
const maxCallBytes = 2 * 1024 * 1024;
const maxCallPushes = 1000;

type Gateway = { channel: GrpcChannel; pusher: UnaryClient<typeof PusherServiceService> };

export type Gateways = {
  /**
   * Hands pushes, in order, to a live gateway, which forwards them. Rejects with UNAVAILABLE if no gateway accepts
   * them.
   */
  push(pushes: Push[]): Promise<void>;
  close(): void;
};

/** The live gateways. Any of them can reach the sessions of all gateways. */
export function createGateways(deps: {
  repo: RepoClient;
  token?: GrpcToken | undefined;
  log: Logger;
}): Gateways {
  const { repo, token, log } = deps;
  const open = new Map<string, Gateway>();
  let addresses: string[] = [];
  let listedAt = 0;
  let preferred = 0;

  async function list(): Promise<string[]> {
    if (Date.now() - listedAt < listMaxAgeMs) return addresses;
    const { gateways } = await repo.presence.listGateways({});
    addresses = gateways.map(({ pushAddress }) => pushAddress);
    listedAt = Date.now();
    for (const [address, { channel }] of open) {
      if (addresses.includes(address)) continue;
      channel.close();
      open.delete(address);
    }
    return addresses;
  }

  function connect(address: string): Gateway {
    const known = open.get(address);
    if (known) return known;
    const channel = openChannel(address, token);
    const gateway = { channel, pusher: createClient(channel, PusherServiceService) };
    open.set(address, gateway);
    return gateway;
  }

  async function deliver(pushes: Push[]): Promise<void> {
    const live = await list();
    for (let tried = 0; tried < live.length; tried += 1) {
      const address = live[(preferred + tried) % live.length] ?? '';
      try {
        await connect(address).pusher.pushToUsers({ pushes, localOnly: false }, { deadlineMs });
        preferred += tried;
        return;
      } catch (error) {
        log.warn(
          { err: error, address, pushes: pushes.length },
          'gateway did not accept pushes; trying the next one',
        );
      }
    }
    listedAt = 0;
    throw new GoChatError('UNAVAILABLE', 'No gateway accepts pushes right now.');
  }

  return {
    async push(pushes) {
      for (const batch of batchesOf(pushes)) await deliver(batch);
    },
    close() {
      for (const { channel } of open.values()) channel.close();
      open.clear();
    },
  };
}

/** Divides pushes into batches, one per call, within the bounds of a call. */
function batchesOf(pushes: Push[]): Push[][] {
  const batches: Push[][] = [];
  let bytes = maxCallBytes;
  for (const push of pushes) {
    const size = push.dataJson.length * 3 + push.userIds.length * 20;
    if (bytes + size > maxCallBytes || (batches.at(-1)?.length ?? 0) >= maxCallPushes) {
      batches.push([]);
      bytes = 0;
    }
    batches.at(-1)?.push(push);
    bytes += size;
  }
  return batches;
}
