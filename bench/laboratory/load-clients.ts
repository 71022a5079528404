import type { Account } from '../fixtures/cache.ts';
import type {
  ConnectReport,
  LastArrival,
  Moment,
  PhaseReport,
  Route,
  Rung,
  SendPlan,
  SeqFaults,
  SessionSpec,
} from '../load/commands.ts';
import type { LoadProcesses } from '../load/processes.ts';
import { monotonicMicros } from '../measure/clock.ts';
import { mergeHistograms } from '../measure/histogram.ts';
import type { Laboratory, Report } from './laboratory.ts';

/** What all load processes together measured of one phase. */
export type Outcome = PhaseReport & {
  /** Messages that were due a second: random arrivals are never quite as many as the rate says. */
  offeredPerSecond: number;
  /** From the phase's start to its last acknowledgement or delivery, so that a backlog counts against it. */
  acknowledgedPerSecond: number;
  deliveredPerSecond: number;
};

export type Load = { seconds: number; payload?: number } & (
  | {
      rate: number;
      /** Other rates after it, without a pause; each second is then measured apart. */
      after?: Rung[];
    }
  | {
      inFlight: number;
      /** So many routes in a row send in turn (1). */
      turns?: number;
    }
);

export type LoadClients = {
  /** Opens a socket; `follows` are the conversations whose messages it must get all. */
  add(account: Account, follows: [conversationId: string, head: number][]): number;
  /** Opens those that were added. Throws when one cannot be opened. */
  connect(parallel?: number): Promise<ConnectReport>;
  /** Sends over the routes and waits for the answers. The key of a route's session is what `add` gave. */
  send(routes: Route[], load: Load): Promise<Outcome>;
  watchArrivals(conversationIds: string[]): Promise<void>;
  setReading(keys: number[], reading: boolean): Promise<void>;
  disconnect(keys: number[], abruptly?: boolean): Promise<void>;
  /** Sockets that the gateways closed, by code. */
  closes(): Promise<Record<string, number>>;
  /**
   * Waits for what is still on its way, then reports what was lost, repeated or out of order as faults, and sockets
   * that were closed with another code than those expected. `heads` names what was sent by others than these clients.
   */
  settle(
    report: Report,
    what: string,
    more?: { expectedCloses?: readonly string[]; heads?: [conversationId: string, head: number][] },
  ): Promise<void>;
};

/** Like a chat message of two sentences. */
const standardPayload = 200;
const settleDeadlineMs = 20_000;
/** Handshakes at once: like many people coming, not like an attack. */
const handshakes = 50;
/** The load processes get their plan before the phase begins. */
const leadMicros = 50_000;

/** Sockets spread over load processes and gateways, seen as one. */
export function createLoadClients(laboratory: Laboratory, load: LoadProcesses): LoadClients {
  const specs: SessionSpec[] = [];
  let connected = 0;
  let phases = 0;
  // Neighbours, which may be a pair that takes turns, are in the same one.
  const processOf = (key: number) => Math.floor(key / 2) % load.all.length;
  const keysOf = (keys: number[], index: number) => keys.filter((key) => processOf(key) === index);

  async function send(routes: Route[], how: Load): Promise<Outcome> {
    phases += 1;
    const phase = phases;
    const startsAt = monotonicMicros() + leadMicros;
    await load.tellEach('send', (_, index): SendPlan => {
      const own = routes.filter(({ session }) => processOf(session) === index);
      const { seconds, payload = standardPayload } = how;
      const common = { phase, routes: own, seconds, payload, startsAt, timeline: 'after' in how };
      if ('inFlight' in how) {
        return { ...common, kind: 'closed', inFlight: how.inFlight, turns: how.turns ?? 1 };
      }
      // A process without routes must send nothing: its schedule ends before its first arrival.
      const share = (rate: number) => Math.max(1e-9, (rate * own.length) / routes.length);
      const after = (how.after ?? []).map((rung) => ({ ...rung, rate: share(rung.rate) }));
      return { ...common, kind: 'open', rate: share(how.rate), after, seed: phase * 1000 + index };
    });
    // Acknowledgements may be here before the last deliveries are: those belong to the phase too.
    await settled();
    const reports = await load.tellEach('collect', () => ({ phase }));
    const later = 'inFlight' in how ? [] : (how.after ?? []);
    const planned = later.reduce((sum, { seconds }) => sum + seconds, how.seconds);
    return outcome(reports, startsAt, planned);
  }

  async function settled(known: [string, number][] = []) {
    const heads = new Map(known);
    for (const [id, seq] of (await load.tellEach('heads', () => ({}))).flat()) {
      heads.set(id, Math.max(seq, heads.get(id) ?? 0));
    }
    return load.tellEach('settle', () => ({ heads: [...heads], deadlineMs: settleDeadlineMs }));
  }

  const closes = async () => mergeCounts(await load.tellEach('closes', () => ({})));

  return {
    add(account, follows) {
      const key = specs.length;
      specs.push({
        key,
        userId: account.userId,
        accessToken: account.accessToken,
        gateway: laboratory.gatewayOf(key),
        follows,
      });
      return key;
    },
    async connect(parallel = handshakes) {
      const fresh = specs.slice(connected);
      connected = specs.length;
      const reports = await load.tellEach('connect', (_, index) => ({
        sessions: fresh.filter(({ key }) => processOf(key) === index),
        parallel: Math.ceil(parallel / load.all.length),
      }));
      const failures = mergeCounts(reports.map((report) => report.failures));
      if (Object.keys(failures).length > 0) {
        throw new Error(`sockets could not be opened: ${JSON.stringify(failures)}`);
      }
      return {
        opened: reports.reduce((sum, { opened }) => sum + opened, 0),
        failures,
        latency: mergeHistograms(reports.map(({ latency }) => latency)),
      };
    },
    send,
    watchArrivals: async (conversationIds) => {
      await load.tellEach('watchArrivals', () => ({ conversationIds }));
    },
    setReading: async (keys, reading) => {
      await load.tellEach('setReading', (_, index) => ({ keys: keysOf(keys, index), reading }));
    },
    disconnect: async (keys, abruptly = false) => {
      await load.tellEach('disconnect', (_, index) => ({ keys: keysOf(keys, index), abruptly }));
    },
    closes,
    async settle(report, what, { expectedCloses = [], heads = [] } = {}) {
      const faults = await settled(heads);
      const total = (of: keyof SeqFaults) => faults.reduce((sum, part) => sum + part[of], 0);
      if (total('lost') > 0) report.fault(`${what}: ${total('lost')} messages lost`);
      if (total('repeated') > 0) report.fault(`${what}: ${total('repeated')} messages repeated`);
      if (total('echoed') > 0) report.fault(`${what}: ${total('echoed')} messages came back to their sender`);
      if (total('outOfOrder') > 0) report.fault(`${what}: ${total('outOfOrder')} messages out of order`);
      const unexpected = Object.entries(await closes()).filter(([code]) => !expectedCloses.includes(code));
      for (const [code, times] of unexpected) report.fault(`${what}: ${times} sockets closed with ${code}`);
    },
  };
}

function outcome(reports: PhaseReport[], startsAt: number, planned: number): Outcome {
  const total = (of: 'sent' | 'acknowledged' | 'unanswered' | 'deliveries') =>
    reports.reduce((sum, report) => sum + report[of], 0);
  const latest = (of: 'lastAckAt' | 'lastDeliveryAt') => Math.max(...reports.map((report) => report[of]));
  const until = (at: number) => Math.max(planned, (at - startsAt) / 1e6);
  return {
    offeredPerSecond: total('sent') / planned,
    sent: total('sent'),
    acknowledged: total('acknowledged'),
    unanswered: total('unanswered'),
    deliveries: total('deliveries'),
    refused: mergeCounts(reports.map(({ refused }) => refused)),
    ack: mergeHistograms(reports.map(({ ack }) => ack)),
    delivery: mergeHistograms(reports.map(({ delivery }) => delivery)),
    refusal: mergeHistograms(reports.map(({ refusal }) => refusal)),
    timeline: mergeMoments(reports.flatMap(({ timeline }) => timeline)),
    lateness: mergeHistograms(reports.map(({ lateness }) => lateness)),
    lastAckAt: latest('lastAckAt'),
    lastDeliveryAt: latest('lastDeliveryAt'),
    lastArrivals: mergeArrivals(reports.flatMap(({ lastArrivals }) => lastArrivals)),
    acknowledgedPerSecond: total('acknowledged') / until(latest('lastAckAt')),
    deliveredPerSecond: total('deliveries') / until(latest('lastDeliveryAt')),
  };
}

function mergeMoments(parts: Moment[]): Moment[] {
  return [...Map.groupBy(parts, ({ second }) => second)]
    .sort(([a], [b]) => a - b)
    .map(([second, same]) => ({
      second,
      sent: same.reduce((sum, { sent }) => sum + sent, 0),
      acknowledged: same.reduce((sum, { acknowledged }) => sum + acknowledged, 0),
      refused: same.reduce((sum, { refused }) => sum + refused, 0),
      ack: mergeHistograms(same.map(({ ack }) => ack)),
    }));
}

function mergeArrivals(parts: LastArrival[]): LastArrival[] {
  const whole = new Map<string, LastArrival>();
  for (const part of parts) {
    const key = `${part.conversationId} ${part.seq}`;
    const known = whole.get(key);
    if (!known) whole.set(key, { ...part });
    else {
      known.lastAt = Math.max(known.lastAt, part.lastAt);
      known.copies += part.copies;
    }
  }
  return [...whole.values()].sort((a, b) => a.sentAt - b.sentAt);
}

export function mergeCounts(parts: Record<string, number>[]): Record<string, number> {
  const whole: Record<string, number> = {};
  for (const part of parts) {
    for (const [name, times] of Object.entries(part)) whole[name] = (whole[name] ?? 0) + times;
  }
  return whole;
}
