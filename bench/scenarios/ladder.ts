import type { Laboratory, Measured, Report, Scenario } from '../laboratory/laboratory.ts';
import type { LoadClients, Outcome } from '../laboratory/load-clients.ts';
import { findLimit } from '../measure/limit-search.ts';
import { figure, messageStep, p99 } from '../steps/steps.ts';
import { groupTalking, pairsTalking, type Talk } from './message-routes.ts';

/** The latency limits of a sustained rate; in addition, no message may be refused. */
type Criterion = {
  /** Milliseconds. */
  ackP99: number;
  deliveryP99: number;
};

const oneToOneCriterion: Criterion = { ackP99: 150, deliveryP99: Number.POSITIVE_INFINITY };

/** The share of the offered messages that must be acknowledged in time: otherwise a backlog grows. */
const reached = 0.97;
/** The pause after a failed rate, so that its backlog does not affect the next one. */
const recoverySeconds = 3;

/** The highest sustained 1:1 rate: no message refused, p99 under 150 ms. */
export const ladder: Scenario = {
  name: 'ladder',
  title: '1:1 messages, the sustained limit',
  run: (laboratory, report) =>
    laboratory.withLoad(laboratory.options.processes, async (load) => {
      const talk = await pairsTalking(laboratory, load, laboratory.options.pairs);
      await climb(laboratory, report, talk, {
        start: Math.min(1000, laboratory.options.most),
        max: laboratory.options.most,
        copies: 1,
        criterion: oneToOneCriterion,
      });
      await talk.clients.settle(report, 'ladder');
    }),
};

/** The 1:1 limit, measured by short probes only: precise enough for scenarios that need its order of magnitude. */
export async function probedLimit(laboratory: Laboratory, { clients, routes }: Talk): Promise<number> {
  const { most: max, warmUp, probe } = laboratory.options;
  const start = Math.min(1000, max);
  await clients.send(routes, { rate: start, seconds: warmUp });
  const holds = async (rate: number) => {
    const outcome = await clients.send(routes, { rate, seconds: probe });
    const held = isSustained(outcome, oneToOneCriterion);
    laboratory.say(`${shown(rate)} per second: ${held ? 'sustained' : 'not sustained'}`);
    if (!held) await recover(clients, routes, start);
    return held;
  };
  return findLimit({ start, max, factor: 1.4, precision: 0.1, probe: holds, hold: holds });
}

/** The highest sustained number of deliveries per second in a group of `members` online members. */
export const groupLimit = (members: number): Scenario => ({
  name: `group-${members}`,
  title: `A group of ${members} online, the sustained limit of deliveries`,
  run: (laboratory, report) =>
    laboratory.withLoad(laboratory.options.processes, async (load) => {
      const group = await laboratory.conversations.group('limit', members);
      const talk = await groupTalking(laboratory, load, group);
      const copies = members - 1;
      await climb(laboratory, report, talk, {
        start: 20_000 / copies,
        max: 400_000 / copies,
        copies,
        criterion: { ackP99: 500, deliveryP99: 500 },
      });
      await talk.clients.settle(report, `group of ${members}`);
    }),
});

async function climb(
  laboratory: Laboratory,
  report: Report,
  { clients, routes }: Talk,
  limits: { start: number; max: number; copies: number; criterion: Criterion },
): Promise<void> {
  const { warmUp, probe, hold } = laboratory.options;
  const measure = (rate: number, seconds: number) =>
    laboratory.measure(() => clients.send(routes, { rate, seconds }));
  const tried = async (rate: number, seconds: number, word: string): Promise<boolean> => {
    const measured = await measure(rate, seconds);
    const holds = isSustained(measured.value, limits.criterion);
    report.step(
      messageStep(
        `${word} ${shown(rate * limits.copies)} per second: ${holds ? 'held' : 'not held'}`,
        measured,
      ),
    );
    if (holds && word === 'hold') reportLimit(report, measured, limits.copies);
    if (!holds) await recover(clients, routes, limits.start);
    return holds;
  };

  await clients.send(routes, { rate: limits.start, seconds: warmUp });
  const limit = await findLimit({
    start: limits.start,
    max: limits.max,
    factor: 1.4,
    precision: 0.06,
    probe: (rate) => tried(rate, probe, 'probe'),
    hold: (rate) => tried(rate, hold, 'hold'),
  });
  if (limit === 0) report.fault('no rate held for the full time');
}

/** Reports the scenario's figure with a label that is the same in every run. */
function reportLimit(report: Report, measured: Measured<Outcome>, copies: number): void {
  const { acknowledgedPerSecond, deliveredPerSecond } = measured.value;
  report.step(
    messageStep('sustained', measured, [
      copies === 1
        ? figure('limit', acknowledgedPerSecond, '/s', 'higher')
        : figure('limit', deliveredPerSecond, 'deliveries/s', 'higher'),
    ]),
  );
}

function isSustained(outcome: Outcome, criterion: Criterion): boolean {
  return (
    Object.keys(outcome.refused).length === 0 &&
    outcome.unanswered === 0 &&
    outcome.acknowledgedPerSecond >= outcome.offeredPerSecond * reached &&
    p99(outcome.ack) <= criterion.ackP99 &&
    p99(outcome.delivery) <= criterion.deliveryP99
  );
}

async function recover(clients: LoadClients, routes: Talk['routes'], rate: number): Promise<void> {
  await clients.send(routes, { rate: rate / 2, seconds: recoverySeconds });
}

const shown = (rate: number): string => Math.round(rate).toLocaleString('en-GB');
