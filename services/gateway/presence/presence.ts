// Room: sessions told to im-repo and to Kafka, and the lease that says that this gateway lives. It sends nothing
// to clients.

import { withDeadline } from '../../../lib/async/deadline.ts';
import { createGather } from '../../../lib/async/gather.ts';
import { retry } from '../../../lib/async/retry.ts';
import type { SessionInfo } from '../../../lib/gen/im_repo/v1/online_status.ts';
import type { RepoClient } from '../../../lib/grpc/clients.ts';
import type { Logger } from '../../../lib/log.ts';
import type { GatewayMetrics } from '../metrics/gateway-metrics.ts';
import type { Session } from '../sessions/session.ts';
import type { UserEvents } from './user-events.ts';

export type Presence = {
  /** Resolves once im-repo knows the session: from then on everything for its user is routed here. */
  connected(session: Session): Promise<void>;
  disconnected(session: Session): void;
  heartbeat(session: Session): void;
  /** Sends sessions again in full. Resolves to whether all of them were stored. */
  resend(sessions: Iterable<Session>): Promise<boolean>;
  depth(): number;
  /** Resolves when all told so far is flushed, or after the time given. */
  flush(withinMs: number): Promise<void>;
};

const maxBatch = 2000;
const pauses = { firstMs: 100, longestMs: 2000 };
/** Disconnects kept while Redis is away. */
const maxUntold = 100_000;

type Connect = { session: Session; resolve: () => void };

/**
 * Tells im-repo about sessions in batches: one flush is in flight, and what comes meanwhile makes the next one, so
 * that a lone connect waits for nothing and a thousand of them are a few calls. A failed flush is sent again whole;
 * every part of it may be repeated.
 */
export function createPresence(deps: {
  presence: Pick<RepoClient['presence'], 'updateSessions'>;
  gatewayId: string;
  bootId: string;
  events: UserEvents;
  /** Told after each flush whether Redis took it. */
  onFlushed: (registered: boolean) => void;
  metrics: GatewayMetrics;
  log: Logger;
}): Presence {
  const { metrics, log } = deps;
  let connects = new Map<string, Connect>();
  let heartbeats = new Map<string, Session>();
  let disconnects = new Map<string, SessionInfo>();
  /** Disconnects that Redis did not take: told again with the next resend, or nobody would learn of them. */
  const untold = new Map<string, SessionInfo>();
  /** Whether every flush since the last resend began was stored. */
  let allStored = true;
  let resent: (() => void)[] = [];

  const depth = (): number => connects.size + heartbeats.size + disconnects.size;

  const { wake, flush } = createGather({
    waiting: depth,
    handle: () =>
      retry(flushBatch, {
        ...pauses,
        onPause: (error, pauseMs) => log.warn({ err: error, pauseMs }, 'cannot flush presence'),
      }),
  });

  /** Takes what waits now, also when it is tried again: more may have come. */
  async function flushBatch(): Promise<void> {
    if (depth() === 0) return;
    const batch = takeBatch();
    const end = metrics.presenceFlush.startTimer();
    try {
      await flushOnce(batch);
    } catch (error) {
      putBack(batch);
      throw error;
    } finally {
      end();
    }
  }

  type Batch = { connects: Connect[]; heartbeats: Session[]; disconnects: SessionInfo[] };

  function takeBatch(): Batch {
    return {
      connects: take(connects, maxBatch),
      heartbeats: take(heartbeats, maxBatch),
      disconnects: take(disconnects, maxBatch),
    };
  }

  function putBack(batch: Batch): void {
    // What came while the flush failed goes behind. Of a session that left meanwhile only the disconnect counts,
    // which is waiting already.
    for (const { session, resolve } of batch.connects) if (session.state === 'closing') resolve();
    const here = batch.connects.filter(({ session }) => session.state !== 'closing');
    const alive = batch.heartbeats.filter(({ state }) => state !== 'closing');
    connects = new Map([...here.map((entry) => [entry.session.id, entry] as const), ...connects]);
    heartbeats = new Map([...alive.map((entry) => [entry.id, entry] as const), ...heartbeats]);
    disconnects = new Map([
      ...batch.disconnects.map((info) => [info.sessionId, info] as const),
      ...disconnects,
    ]);
  }

  async function flushOnce(batch: Batch): Promise<void> {
    const { cameOnline, disconnected, registered } = await deps.presence.updateSessions({
      gatewayId: deps.gatewayId,
      bootId: deps.bootId,
      connected: batch.connects.map(({ session }) => infoOf(session)),
      heartbeats: batch.heartbeats.map(infoOf),
      disconnected: batch.disconnects,
    });
    for (const session of batch.heartbeats) session.lastReportedAt = Date.now();
    if (!registered) {
      allStored = false;
      for (const info of batch.disconnects) if (untold.size < maxUntold) untold.set(info.sessionId, info);
    }
    deps.onFlushed(registered);
    deps.events.publish('user.online', cameOnline);
    deps.events.publish('user.disconnected', disconnected);
    // Redis away: everything is routed to every gateway until the resync, so the session is reached all the same.
    for (const { resolve } of batch.connects) resolve();
    if (heartbeats.size > 0) return;
    for (const resolve of resent) resolve();
    resent = [];
  }

  return {
    connected: (session) =>
      new Promise((resolve) => {
        connects.set(session.id, { session, resolve });
        wake();
      }),
    disconnected(session) {
      heartbeats.delete(session.id);
      // Never told: nothing to take back. One that is being told right now is taken back by the next flush.
      if (connects.delete(session.id)) return;
      disconnects.set(session.id, infoOf(session));
      wake();
    },
    heartbeat(session) {
      heartbeats.set(session.id, session);
      wake();
    },
    async resend(sessions) {
      allStored = true;
      for (const session of sessions) heartbeats.set(session.id, session);
      for (const [id, info] of untold) disconnects.set(id, info);
      untold.clear();
      if (depth() === 0) return true;
      wake();
      await new Promise<void>((resolve) => resent.push(resolve));
      return allStored;
    },
    depth,
    async flush(withinMs) {
      await withDeadline(flush(), withinMs, () => undefined);
    },
  };
}

function take<V>(from: Map<string, V>, most: number): V[] {
  const taken: V[] = [];
  for (const [key, value] of from) {
    if (taken.length >= most) break;
    taken.push(value);
    from.delete(key);
  }
  return taken;
}

const infoOf = (session: Session): SessionInfo => ({
  sessionId: session.id,
  userId: session.userId,
  connectedAt: session.connectedAt,
  lastActiveAt: session.lastSeenAt,
});
