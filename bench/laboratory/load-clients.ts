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

/** The measurements of all load processes in one phase, merged. */
export type Outcome = PhaseReport & {
  /** Messages that were due per second: with random arrivals their number differs slightly from the rate. */
  offeredPerSecond: number;
  /** Counted until the phase's last acknowledgement or delivery, so that a backlog lowers it. */
  acknowledgedPerSecond: number;
  deliveredPerSecond: number;
};

export type Load = { seconds: number; payload?: number } & (
  | {
      rate: number;
      /** Further rates after the first, without a pause; each second is then measured separately. */
      after?: Rung[];
    }
  | {
      inFlight: number;
      /** This many consecutive routes send one after the other (default 1). */
      turns?: number;
    }
);

export type LoadClients = {
  /** Adds a socket to open; `follows` are the conversations of which it must get all messages. Returns its key. */
  add(account: Account, follows: [conversationId: string, head: number][]): number;
  /** Opens the added sockets. Throws an Error if one of them cannot be opened. */
  connect(parallel?: number): Promise<ConnectReport>;
  /** Sends over the routes and waits for the answers. A route's session is a key that `add` returned. */
  send(routes: Route[], load: Load): Promise<Outcome>;
  watchArrivals(conversationIds: string[]): Promise<void>;
  setReading(keys: number[], reading: boolean): Promise<void>;
  disconnect(keys: number[], abruptly?: boolean): Promise<void>;
  /** The numbers of sockets that the gateways closed, by close code. */
  closes(): Promise<Record<string, number>>;
  /**
   * Waits for messages in flight. Then reports lost, duplicated or out-of-order messages as faults, and sockets that
   * were closed with an unexpected code. `heads` has the heads of conversations in which others than these clients
   * have sent.
   */
  settle(
    report: Report,
    what: string,
    more?: { expectedCloses?: readonly string[]; heads?: [conversationId: string, head: number][] },
  ): Promise<void>;
};

/** The characters of a chat message of two sentences. */
const standardPayload = 200;
const settleDeadlineMs = 20_000;
/** Concurrent handshakes: a rush of users, not an attack. */
const handshakes = 50;
/** Time for the plan to reach the load processes before the phase starts. */
const leadMicros = 50_000;

/** The sockets of all load processes and gateways behind one interface. */
export function createLoadClients(laboratory: Laboratory, load: LoadProcesses): LoadClients {
  const specs: SessionSpec[] = [];
  let connected = 0;
  let phases = 0;
  // Neighbouring keys are in the same process, since the two may be a pair that sends alternately.
  const processOf = (key: number) => Math.floor(key / 2) % load.all.length;
  const keysOf = (keys: number[], index: number) => keys.filter((key) => processOf(key) === index);

  async function send(routes: Route[], how: Load): Promise<Outcome> {
    phases += 1;
    const phase = phases;
    const startsAt = monotonicMicros() + leadMicros;
    await load.callEach('send', (_, index): SendPlan => {
      const own = routes.filter(({ session }) => processOf(session) === index);
      const { seconds, payload = standardPayload } = how;
      const common = { phase, routes: own, seconds, payload, startsAt, timeline: 'after' in how };
      if ('inFlight' in how) {
        return { ...common, kind: 'closed', inFlight: how.inFlight, turns: how.turns ?? 1 };
      }
      // A process without routes must send nothing: with this rate its schedule ends before the first arrival.
      const share = (rate: number) => Math.max(1e-9, (rate * own.length) / routes.length);
      const after = (how.after ?? []).map((rung) => ({ ...rung, rate: share(rung.rate) }));
      return { ...common, kind: 'open', rate: share(how.rate), after, seed: phase * 1000 + index };
    });
    // The last deliveries may arrive after the acknowledgements, and belong to the phase too.
    await settled();
    const reports = await load.callEach('collect', () => ({ phase }));
    const later = 'inFlight' in how ? [] : (how.after ?? []);
    const planned = later.reduce((sum, { seconds }) => sum + seconds, how.seconds);
    return outcome(reports, startsAt, planned);
  }

  async function settled(known: [string, number][] = []) {
    const heads = new Map(known);
    for (const [id, seq] of (await load.callEach('heads', () => ({}))).flat()) {
      heads.set(id, Math.max(seq, heads.get(id) ?? 0));
    }
    return load.callEach('settle', () => ({ heads: [...heads], deadlineMs: settleDeadlineMs }));
  }

  const closes = async () => mergeCounts(await load.callEach('closes', () => ({})));

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
      const reports = await load.callEach('connect', (_, index) => ({
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
      await load.callEach('watchArrivals', () => ({ conversationIds }));
    },
    setReading: async (keys, reading) => {
      await load.callEach('setReading', (_, index) => ({ keys: keysOf(keys, index), reading }));
    },
    disconnect: async (keys, abruptly = false) => {
      await load.callEach('disconnect', (_, index) => ({ keys: keysOf(keys, index), abruptly }));
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
