// Room: reports sessions to im-repo and to Kafka, and keeps the lease that shows that this gateway is alive. It sends
// nothing to clients.

import { withDeadline } from '../../../lib/async/deadline.ts';
import { createGather } from '../../../lib/async/gather.ts';
import { retry } from '../../../lib/async/retry.ts';
import type { SessionInfo } from '../../../lib/gen/im_repo/v1/online_status.ts';
import type { RepoClient } from '../../../lib/grpc/clients.ts';
import { unreachable } from '../../../lib/grpc/definition.ts';
import type { Logger } from '../../../lib/log.ts';
import type { GatewayMetrics } from '../metrics/gateway-metrics.ts';
import type { Session } from '../sessions/session.ts';
import type { UserEvents } from './user-events.ts';

export type Presence = {
  /** Reports a new session. Resolves when im-repo has taken it: from then on, events for its user are routed here. */
  connected(session: Session): Promise<void>;
  disconnected(session: Session): void;
  heartbeat(session: Session): void;
  /** Reports sessions again. Resolves to true if all of them were stored. */
  resend(sessions: Iterable<Session>): Promise<boolean>;
  /** Number of changes that wait for a flush. */
  depth(): number;
  /** Resolves when all changes so far are flushed, or after `withinMs`. */
  flush(withinMs: number): Promise<void>;
};

const maxBatch = 2000;
const pauses = { firstMs: 100, longestMs: 2000 };
/** Disconnects that are kept while Redis is unavailable. */
const maxUnstored = 100_000;

type Connect = { session: Session; resolve: () => void };

/**
 * Reports sessions to im-repo in batches. One flush is in flight at a time; changes that arrive meanwhile form the next
 * batch. So a single connect does not wait, and a thousand connects take a few calls. A failed flush is retried as a
 * whole: im-repo accepts repeated changes.
 */
export function createPresence(deps: {
  presence: Pick<RepoClient['presence'], 'updateSessions'>;
  gatewayId: string;
  bootId: string;
  events: UserEvents;
  /** True if im-repo knows this gateway, so that it routes events here. */
  isKnown: () => Promise<boolean>;
  /** Called after each flush; `registered` is true if Redis stored it. */
  onFlushed: (registered: boolean) => void;
  metrics: GatewayMetrics;
  log: Logger;
}): Presence {
  const { metrics, log } = deps;
  let connects = new Map<string, Connect>();
  let heartbeats = new Map<string, Session>();
  let disconnects = new Map<string, SessionInfo>();
  /** Disconnects that Redis did not store. The next resend reports them again; otherwise they would be lost. */
  const unstored = new Map<string, SessionInfo>();
  /** True if every flush since the start of the last resend was stored. */
  let allStored = true;
  /** Resolvers of the resends in flight. */
  let pendingResends: (() => void)[] = [];

  const depth = (): number => connects.size + heartbeats.size + disconnects.size;

  const { wake, flush } = createGather({
    waiting: depth,
    handle: () =>
      retry(flushBatch, {
        ...pauses,
        onPause: (error, pauseMs) => log.warn({ err: error, pauseMs }, 'cannot flush presence'),
      }),
  });

  /** Flushes the next batch. A retry takes a new batch, because more changes may have arrived. */
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
    // Changes that arrived during the failed flush go behind the batch. If a session closed meanwhile, its connect and
    // heartbeat are dropped, because its disconnect is pending already.
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
    if (!(await deps.isKnown())) throw unreachable();
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
      for (const info of batch.disconnects)
        if (unstored.size < maxUnstored) unstored.set(info.sessionId, info);
    }
    deps.onFlushed(registered);
    deps.events.publish('user.online', cameOnline);
    deps.events.publish('user.disconnected', disconnected);
    // Resolve even if Redis is unavailable: until the resync, events go to every gateway, so they reach the session.
    for (const { resolve } of batch.connects) resolve();
    if (heartbeats.size > 0) return;
    for (const resolve of pendingResends) resolve();
    pendingResends = [];
  }

  return {
    connected: (session) =>
      new Promise((resolve) => {
        connects.set(session.id, { session, resolve });
        wake();
      }),
    disconnected(session) {
      heartbeats.delete(session.id);
      // A connect that was not sent yet is dropped. If it is in flight, the next flush reports the disconnect.
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
      for (const [id, info] of unstored) disconnects.set(id, info);
      unstored.clear();
      if (depth() === 0) return true;
      wake();
      await new Promise<void>((resolve) => pendingResends.push(resolve));
      return allStored;
    },
    depth,
    async flush(withinMs) {
      await withDeadline(flush(), withinMs, () => undefined);
    },
  };
}

function take<V>(from: Map<string, V>, max: number): V[] {
  const taken: V[] = [];
  for (const [key, value] of from) {
    if (taken.length >= max) break;
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
