import { createSingleFlight } from '../../../lib/async/single-flight.ts';
import type { GatewayInfo } from '../../../lib/gen/im_repo/v1/online_status.ts';
import type { RepoClient } from '../../../lib/grpc/clients.ts';
import type { Logger } from '../../../lib/log.ts';

export type GatewayLease = {
  /** Renews the lease now. Resolves to true if im-repo answered. */
  renew(): Promise<boolean>;
  /**
   * Resolves to true if im-repo has known this gateway since its start, and renews the lease if it has not. A gateway
   * that im-repo does not know gets no events, so no session may count as registered before.
   */
  isKnown(): Promise<boolean>;
  /**
   * To be called after each presence flush. `registered` is false if Redis was unavailable: then the lease must not claim
   * that im-repo knows all sessions.
   */
  flushed(registered: boolean): void;
  /** Stops the renewals and gives the lease up. */
  release(): Promise<void>;
};

const renewMs = 3000;
/** For two minutes after its lease has expired, a gateway still gets the events for its sockets. This is a bit less. */
const lapsedMs = 100_000;

/**
 * Keeps this gateway's lease of 10 s in im-repo. Without the lease, the sessions of this gateway are ignored. Sends all
 * sessions again when im-repo asks for a resync, which happens after Redis was flushed or unavailable.
 */
export function createGatewayLease(deps: {
  presence: Pick<RepoClient['presence'], 'renewGateway' | 'releaseGateway'>;
  gateway: GatewayInfo;
  /** Sends all sessions again. Resolves to true if all were stored. */
  resend: () => Promise<boolean>;
  /** The lease has been missing for so long that sockets may soon miss events: they must reconnect elsewhere. */
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
  let known = false;
  const clock = deps.clock ?? (() => performance.now());
  let renewedAt = clock();

  async function renewOnce(): Promise<boolean> {
    // This also detects that the process itself was suspended.
    if (clock() - renewedAt > lapsedMs) {
      log.error('the gateway lease was not renewed for too long: all sockets are closed');
      renewedAt = clock();
      deps.onLapsed();
    }
    try {
      const { resync } = await presence.renewGateway({ gateway, synced }, { deadlineMs: 2500 });
      renewedAt = clock();
      known = true;
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

  /** Resends sessions while the renewals go on, so that the lease does not expire when there is much to send. */
  function startSync(): void {
    if (syncing) return;
    synced = false;
    syncing = true;
    deps.resend().then((stored) => {
      syncing = false;
      synced = stored;
      // Renew at once: until im-repo knows that all sessions are synced, it assumes that any user may be connected here.
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
    isKnown: async () => known || renew(),
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
