import { setTimeout as sleep, setImmediate as turnOfTheLoop } from 'node:timers/promises';
import { monotonicMicros } from '../measure/clock.ts';
import { createHistogram, type Histogram } from '../measure/histogram.ts';
import { chainSchedules, createSchedule } from '../measure/schedule.ts';
import type { LastArrival, Moment, PhaseReport, Route, SendPlan, SeqFaults } from './commands.ts';
import { type IncomingFrame, stampedContent } from './frames.ts';
import { count, type LoadSession, type Sessions } from './sessions.ts';

type Measurement = Omit<
  PhaseReport,
  'ack' | 'delivery' | 'refusal' | 'lateness' | 'lastArrivals' | 'unanswered' | 'timeline'
> & {
  ack: Histogram;
  delivery: Histogram;
  refusal: Histogram;
  lateness: Histogram;
  /** Set if the phase measures each second separately. */
  timeline: { startsAt: number; seconds: Map<number, Second> } | undefined;
};
type Second = Omit<Moment, 'ack' | 'second'> & { ack: Histogram };
type Pending = { phase: number; dueAt: number; answered?: () => void };

/** The wait for answers after the last send: longer than the gateway's deadline for a send (15 s). */
const answerDeadlineMs = 20_000;
const pollMs = 10;
/** The maximum number of sends per turn of the event loop, so that answers are read in between. */
const sendsPerTurn = 64;

export type Traffic = ReturnType<typeof createTraffic>;

/** Sends messages and measures their acknowledgements and deliveries. */
export function createTraffic(runId: string) {
  const measurements = new Map<number, Measurement>();
  const pending = new Map<string, Pending>();
  const heads = new Map<string, number>();
  const arrivals = new Map<string, Map<number, LastArrival>>();
  let sends = 0;

  function measurementOf(phase: number): Measurement {
    let measurement = measurements.get(phase);
    if (!measurement) {
      measurement = {
        sent: 0,
        acknowledged: 0,
        refused: {},
        deliveries: 0,
        ack: createHistogram(),
        delivery: createHistogram(),
        refusal: createHistogram(),
        lateness: createHistogram(),
        timeline: undefined,
        lastAckAt: 0,
        lastDeliveryAt: 0,
      };
      measurements.set(phase, measurement);
    }
    return measurement;
  }

  function secondOf({ timeline }: Measurement, dueAt: number): Second | undefined {
    if (!timeline) return undefined;
    const which = Math.floor((dueAt - timeline.startsAt) / 1e6);
    let second = timeline.seconds.get(which);
    if (!second) {
      second = { sent: 0, acknowledged: 0, refused: 0, ack: createHistogram() };
      timeline.seconds.set(which, second);
    }
    return second;
  }

  /** `dueAt` is the scheduled time of the send, from which latencies are measured. */
  function sendOne(
    session: LoadSession,
    route: Route,
    plan: SendPlan,
    dueAt: number,
    answered?: () => void,
  ): void {
    sends += 1;
    const clientMsgId = `${runId}-${sends}`;
    const content = stampedContent({ phase: plan.phase, sentAt: dueAt }, plan.payload);
    pending.set(clientMsgId, { phase: plan.phase, dueAt, ...(answered ? { answered } : {}) });
    const measurement = measurementOf(plan.phase);
    measurement.sent += 1;
    const second = secondOf(measurement, dueAt);
    if (second) second.sent += 1;
    measurement.lateness.record(monotonicMicros() - dueAt);
    session.socket.send(
      `{"type":"send-message","data":{"conversationId":"${route.conversationId}","clientMsgId":"${clientMsgId}","content":"${content}"}}`,
    );
  }

  async function sendOpen(sessions: Sessions, plan: Extract<SendPlan, { kind: 'open' }>): Promise<void> {
    const { startsAt, seed } = plan;
    let from = startsAt;
    const schedule = chainSchedules(
      [plan, ...plan.after].map(({ rate, seconds }, index) => {
        const rung = createSchedule({ rate, seconds, startsAt: from, seed: seed + 100 * index });
        from += seconds * 1e6;
        return rung;
      }),
    );
    for (let turn = 0, due = schedule.due(); due !== undefined; due = schedule.due()) {
      const now = monotonicMicros();
      if (due > now) {
        await sleep(Math.max(1, Math.floor((due - now) / 1000)));
        continue;
      }
      if (turn % sendsPerTurn === sendsPerTurn - 1) await turnOfTheLoop();
      schedule.advance();
      const route = plan.routes[turn % plan.routes.length];
      turn += 1;
      const session = route && sessions.get(route.session);
      if (route && session) sendOne(session, route, plan, due);
      else count(measurementOf(plan.phase).refused, 'SOCKET_GONE');
    }
  }

  /**
   * Each group of `turns` routes has a fixed number of sends in flight, and sends the next message after each answer.
   */
  async function sendClosed(sessions: Sessions, plan: Extract<SendPlan, { kind: 'closed' }>): Promise<void> {
    const endsAt = monotonicMicros() + plan.seconds * 1e6;
    const next = (routes: readonly Route[], turn: number) => {
      const route = routes[turn % routes.length];
      const session = route && sessions.get(route.session);
      const now = monotonicMicros();
      if (now < endsAt && session) sendOne(session, route, plan, now, () => next(routes, turn + 1));
    };
    for (let from = 0; from < plan.routes.length; from += plan.turns) {
      const routes = plan.routes.slice(from, from + plan.turns);
      for (let lane = 0; lane < plan.inFlight; lane += 1) next(routes, 0);
    }
    await sleep(plan.seconds * 1000);
  }

  function onAnswer(clientMsgId: string): Pending | undefined {
    const entry = pending.get(clientMsgId);
    if (!entry) return undefined;
    pending.delete(clientMsgId);
    return entry;
  }

  return {
    onFrame(session: LoadSession, frame: IncomingFrame): void {
      const now = monotonicMicros();
      if (frame.type === 'new-message') {
        session.ledgers.get(frame.conversationId)?.received(frame.seq);
        if (!frame.stamp) return;
        const measurement = measurementOf(frame.stamp.phase);
        measurement.deliveries += 1;
        measurement.delivery.record(now - frame.stamp.sentAt);
        measurement.lastDeliveryAt = now;
        const watched = arrivals.get(frame.conversationId);
        if (watched) arrived(watched, frame.conversationId, frame.seq, frame.stamp.sentAt, now);
        return;
      }
      if (frame.type === 'message-ack') {
        session.ledgers.get(frame.conversationId)?.sent(frame.seq);
        if (frame.seq > (heads.get(frame.conversationId) ?? 0)) heads.set(frame.conversationId, frame.seq);
        const entry = onAnswer(frame.clientMsgId);
        if (!entry) return;
        const measurement = measurementOf(entry.phase);
        measurement.acknowledged += 1;
        measurement.ack.record(now - entry.dueAt);
        measurement.lastAckAt = now;
        const second = secondOf(measurement, entry.dueAt);
        if (second) {
          second.acknowledged += 1;
          second.ack.record(now - entry.dueAt);
        }
        entry.answered?.();
        return;
      }
      if (frame.type === 'error') {
        const entry = onAnswer(frame.clientMsgId);
        if (!entry) return;
        const measurement = measurementOf(entry.phase);
        count(measurement.refused, frame.code);
        measurement.refusal.record(now - entry.dueAt);
        const second = secondOf(measurement, entry.dueAt);
        if (second) second.refused += 1;
        // A refused sender waits 100 ms before its next send, as a well-behaved client does.
        if (entry.answered) setTimeout(entry.answered, 100);
      }
    },

    watchArrivals(conversationIds: readonly string[]): void {
      for (const id of conversationIds) arrivals.set(id, new Map());
    },

    async send(sessions: Sessions, plan: SendPlan): Promise<void> {
      if (plan.timeline) measurementOf(plan.phase).timeline = { startsAt: plan.startsAt, seconds: new Map() };
      await (plan.kind === 'open' ? sendOpen(sessions, plan) : sendClosed(sessions, plan));
      await until(() => pending.size === 0, answerDeadlineMs);
    },

    collect(phase: number): PhaseReport {
      const { ack, delivery, refusal, lateness, timeline, ...counts } = measurementOf(phase);
      measurements.delete(phase);
      let unanswered = 0;
      for (const entry of pending.values()) if (entry.phase === phase) unanswered += 1;
      const lastArrivals = [...arrivals.values()].flatMap((watched) => [...watched.values()]);
      for (const watched of arrivals.values()) watched.clear();
      return {
        ...counts,
        unanswered,
        ack: ack.data(),
        delivery: delivery.data(),
        refusal: refusal.data(),
        timeline: [...(timeline?.seconds ?? [])].map(([second, moment]) => ({
          ...moment,
          second,
          ack: moment.ack.data(),
        })),
        lateness: lateness.data(),
        lastArrivals,
      };
    },

    heads: () => [...heads],

    /** Waits until each session has all messages up to the heads, in the conversations that it follows. */
    async settle(sessions: Sessions, upTo: [string, number][], deadlineMs: number): Promise<SeqFaults> {
      const targets = new Map(upTo);
      const missing = () =>
        sum(sessions.all(), ({ ledgers, hangs }) =>
          hangs ? 0 : sum([...ledgers], ([id, ledger]) => ledger.missing(targets.get(id) ?? 0)),
        );
      await until(() => missing() === 0, deadlineMs);
      const ledgers = sessions.all().flatMap((session) => [...session.ledgers.values()]);
      return {
        lost: missing(),
        repeated: sum(ledgers, (ledger) => ledger.repeated()),
        echoed: sum(ledgers, (ledger) => ledger.echoed()),
        outOfOrder: sum(ledgers, (ledger) => ledger.outOfOrder()),
      };
    },
  };
}

function arrived(
  watched: Map<number, LastArrival>,
  conversationId: string,
  seq: number,
  sentAt: number,
  now: number,
): void {
  const known = watched.get(seq);
  if (!known) {
    watched.set(seq, { conversationId, seq, sentAt, lastAt: now, copies: 1 });
    return;
  }
  known.lastAt = now;
  known.copies += 1;
}

async function until(holds: () => boolean, deadlineMs: number): Promise<void> {
  const deadline = Date.now() + deadlineMs;
  while (!holds() && Date.now() < deadline) await sleep(pollMs);
}

function sum<T>(items: readonly T[], value: (item: T) => number): number {
  let total = 0;
  for (const item of items) total += value(item);
  return total;
}
