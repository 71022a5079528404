import { createSingleFlight } from '../../../lib/async/single-flight.ts';
import type { GatewayInfo } from '../../../lib/gen/im_repo/v1/online_status.ts';
import type { RepoClient } from '../../../lib/grpc/clients.ts';
import type { Logger } from '../../../lib/log.ts';

export type GatewayLease = {
  /** Asks for it now. Resolves to whether im-repo answered. */
  renew(): Promise<boolean>;
  /** What the last flush said about Redis: when it was away, the lease must not claim that all is known. */
  flushed(registered: boolean): void;
  release(): Promise<void>;
};

const renewMs = 3000;
/** A gateway without a lease is still given what its sockets would miss, for two minutes. */
const lapsedMs = 100_000;

/**
 * Keeps this gateway's lease of 10 s, without which its sessions count for nobody, and sends all sessions again
 * whenever im-repo asks for them: after Redis was flushed or away.
 */
export function createGatewayLease(deps: {
  presence: Pick<RepoClient['presence'], 'renewGateway' | 'releaseGateway'>;
  gateway: GatewayInfo;
  /** Sends all sessions; resolves to whether all were stored. */
  resend: () => Promise<boolean>;
  /** The lease has been gone for so long that sockets may begin to miss something: they have to go elsewhere. */
  onLapsed: () => void;
  log: Logger;
  clock?: () => number;
}): GatewayLease {
  const { presence, gateway, log } = deps;
  // A gateway that has just started has no sessions, so all of them are known.
  let synced = true;
  let syncing = false;
  let released = false;
  let failing = false;
  const clock = deps.clock ?? (() => performance.now());
  let renewedAt = clock();

  async function renewOnce(): Promise<boolean> {
    // Also after this process stood still.
    if (clock() - renewedAt > lapsedMs) {
      log.error('the gateway lease has been gone for long: all sockets are closed');
      renewedAt = clock();
      deps.onLapsed();
    }
    try {
      const { resync } = await presence.renewGateway({ gateway, synced }, { deadlineMs: 2500 });
      renewedAt = clock();
      if (failing) log.info('the gateway lease is renewed again');
      failing = false;
      if (resync || !synced) startSync();
      return true;
    } catch (error) {
      if (!failing) log.warn({ err: error }, 'cannot renew the gateway lease');
      failing = true;
      return false;
    }
  }

  /** Beside the renewals, which go on meanwhile: the lease must not end because there is much to send. */
  function startSync(): void {
    if (syncing) return;
    synced = false;
    syncing = true;
    deps.resend().then((stored) => {
      syncing = false;
      synced = stored;
      // At once: until it is told, im-repo treats this gateway as one that may hold anybody.
      if (stored) void renew();
    });
  }

  const renewal = createSingleFlight(renewOnce);

  function renew(): Promise<boolean> {
    if (released) return Promise.resolve(false);
    return renewal.run();
  }

  const timer = setInterval(renew, renewMs);
  return {
    renew,
    flushed(registered) {
      if (!registered) synced = false;
    },
    async release() {
      released = true;
      clearInterval(timer);
      await renewal.inFlight();
      await presence
        .releaseGateway({ gatewayId: gateway.gatewayId, bootId: gateway.bootId }, { deadlineMs: 3000 })
        .catch((error: unknown) => log.warn({ err: error }, 'cannot release the gateway lease'));
    },
  };
}
