import { createLaboratory, type Laboratory, type Report, type Scenario } from '../laboratory/laboratory.ts';
import type { Outcome } from '../laboratory/load-clients.ts';
import type { LoadProcesses } from '../load/processes.ts';
import { paired } from '../measure/paired.ts';
import { figure, figuresOnly, p50, p99 } from '../steps/steps.ts';
import { groupTalking, pairsTalking, type Talk } from './message-routes.ts';

type Contest = {
  label: string;
  talk: (laboratory: Laboratory, load: LoadProcesses) => Promise<Talk>;
  load: { inFlight: number; turns?: number } | { rate: number };
};

const members = 100;
const senders = 20;

const contests: Contest[] = [
  {
    label: '1:1, both in turn: each message reads the one before',
    async talk(laboratory, load) {
      const { clients, routes } = await pairsTalking(laboratory, load, laboratory.options.pairs);
      const [anns, bobs] = [routes.slice(0, routes.length / 2), routes.slice(routes.length / 2)];
      return { clients, routes: anns.flatMap((ann, index) => [ann, bobs[index] ?? ann]) };
    },
    load: { inFlight: 1, turns: 2 },
  },
  {
    label: `a group of ${members} online, ${senders} of them send`,
    async talk(laboratory, load) {
      const group = await laboratory.conversations.group('versus', members);
      const { clients, routes } = await groupTalking(laboratory, load, group);
      return { clients, routes: routes.slice(0, senders) };
    },
    load: { inFlight: 1 },
  },
  {
    label: '1:1, one of each pair sends',
    talk: oneOfEachPair,
    load: { inFlight: 1 },
  },
];

/**
 * Measures this system and another running one in alternation, each at full speed; the result is the ratio of
 * acknowledged messages, or of the median latencies where the rate is given (above 1: this system is better). The order
 * alternates between rounds, so that a machine that becomes slower favours neither.
 */
export const versus: Scenario = {
  name: 'versus',
  title: 'This system and another one, in alternation',
  run: (laboratory, report) => holdAll(contests, laboratory, report),
};

/** Compares the latencies of the two systems at the rates of `--rates`, of which each gets the same load. */
export const versusLatency: Scenario = {
  name: 'versus-latency',
  title: 'The latencies of this system and another one, in alternation',
  run: (laboratory, report) =>
    holdAll(
      laboratory.options.rates.map((rate) => ({
        label: `1:1 at ${rate} per second`,
        talk: oneOfEachPair,
        load: { rate },
      })),
      laboratory,
      report,
    ),
};

/** Pairs of friends, of whom one sends. */
async function oneOfEachPair(laboratory: Laboratory, load: LoadProcesses): Promise<Talk> {
  const { clients, routes } = await pairsTalking(laboratory, load, laboratory.options.pairs);
  return { clients, routes: routes.slice(0, routes.length / 2) };
}

async function holdAll(contests: readonly Contest[], laboratory: Laboratory, report: Report): Promise<void> {
  const { versus: other = '' } = laboratory.options;
  const opponent = await createLaboratory(
    { ...laboratory.system, gateways: [other], metrics: [], databaseUrl: undefined },
    laboratory.options,
  );
  try {
    for (const contest of contests) await hold(contest, laboratory, opponent, report);
  } finally {
    await opponent.close();
  }
}

async function hold(
  { label, talk, load }: Contest,
  laboratory: Laboratory,
  opponent: Laboratory,
  report: Report,
): Promise<void> {
  const { processes, rounds, seconds, warmUp } = laboratory.options;
  await laboratory.withLoad(processes, (ownLoad) =>
    opponent.withLoad(processes, async (otherLoad) => {
      const own = await talk(laboratory, ownLoad);
      const other = await talk(opponent, otherLoad);
      const measure = async ({ clients, routes }: Talk) => clients.send(routes, { ...load, seconds });
      for (const { clients, routes } of [other, own])
        await clients.send(routes, { ...load, seconds: warmUp });
      const outcomes: { own: Outcome; other: Outcome }[] = [];
      for (let round = 0; round < rounds; round += 1) {
        const first = await measure(round % 2 === 0 ? other : own);
        const second = await measure(round % 2 === 0 ? own : other);
        const [theirs, ours] = round % 2 === 0 ? [first, second] : [second, first];
        outcomes.push({ own: ours, other: theirs });
        const [before, now] = [theirs, ours].map(
          ({ acknowledgedPerSecond, ack }) =>
            `${Math.round(acknowledgedPerSecond)}/s, p50 ${p50(ack).toFixed(1)} ms`,
        );
        laboratory.say(`round ${round + 1}: ${before} → ${now}`);
      }
      const middle = (values: number[]) => paired(values).median;
      const { median, atLeast } = paired(
        outcomes.map(({ own, other }) =>
          'rate' in load
            ? p50(other.ack) / p50(own.ack)
            : own.acknowledgedPerSecond / other.acknowledgedPerSecond,
        ),
      );
      report.step({
        label,
        figures: [
          figure('ratio, median', median, '×', 'higher'),
          figure('at least, with 95 % confidence', atLeast, '×', 'higher'),
          figure(
            'acknowledged',
            middle(outcomes.map(({ own }) => own.acknowledgedPerSecond)),
            '/s',
            'higher',
          ),
          figure(
            'the other',
            middle(outcomes.map(({ other }) => other.acknowledgedPerSecond)),
            '/s',
            'neither',
          ),
          figure('ack p50', middle(outcomes.map(({ own }) => p50(own.ack))), 'ms', 'lower'),
          figure('the other’s ack p50', middle(outcomes.map(({ other }) => p50(other.ack))), 'ms', 'neither'),
          figure('ack p99', middle(outcomes.map(({ own }) => p99(own.ack))), 'ms', 'lower'),
          figure('the other’s ack p99', middle(outcomes.map(({ other }) => p99(other.ack))), 'ms', 'neither'),
        ],
        ...figuresOnly,
      });
      await own.clients.settle(report, label);
    }),
  );
}
