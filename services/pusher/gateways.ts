import { GoChatError } from '../../lib/errors.ts';
import { type Push, PusherServiceService } from '../../lib/gen/im_gateway/v1/pusher.ts';
import { createClient, openChannel } from '../../lib/grpc/client.ts';
import type { RepoClient } from '../../lib/grpc/clients.ts';
import type { GrpcChannel, UnaryClient } from '../../lib/grpc/definition.ts';
import type { GrpcToken } from '../../lib/grpc/token.ts';
import type { Logger } from '../../lib/log.ts';

const deadlineMs = 3000;
const listMaxAgeMs = 1000;
/** Of one call, well below gRPC's 4 MB. */
const maxCallBytes = 2 * 1024 * 1024;
const maxCallPushes = 1000;

type Gateway = { channel: GrpcChannel; pusher: UnaryClient<typeof PusherServiceService> };

export type Gateways = {
  /** Hands pushes, in order, to a live gateway, which forwards them. UNAVAILABLE when none takes them. */
  push(pushes: Push[]): Promise<void>;
  close(): void;
};

/** The gateways that are alive, any of which reaches the sessions of all. */
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
        log.warn({ err: error, address, pushes: pushes.length }, 'a gateway takes no pushes');
      }
    }
    listedAt = 0;
    throw new GoChatError('UNAVAILABLE', 'No gateway takes pushes right now.');
  }

  return {
    async push(pushes) {
      for (const call of inCalls(pushes)) await deliver(call);
    },
    close() {
      for (const { channel } of open.values()) channel.close();
      open.clear();
    },
  };
}

function inCalls(pushes: Push[]): Push[][] {
  const calls: Push[][] = [];
  let bytes = maxCallBytes;
  for (const push of pushes) {
    const size = push.dataJson.length * 3 + push.userIds.length * 20;
    if (bytes + size > maxCallBytes || (calls.at(-1)?.length ?? 0) >= maxCallPushes) {
      calls.push([]);
      bytes = 0;
    }
    calls.at(-1)?.push(push);
    bytes += size;
  }
  return calls;
}
