import type { Laboratory, Measured, Report, Scenario } from '../laboratory/laboratory.ts';
import type { Outcome } from '../laboratory/load-clients.ts';
import type { Options } from '../laboratory/options.ts';
import type { Moment } from '../load/commands.ts';
import { createHistogram, mergeHistograms } from '../measure/histogram.ts';
import { secondsToRecover } from '../measure/recovery.ts';
import { figure, latencyFigures, messageStep, p99 } from '../steps/steps.ts';
import { isLoad, machineName, type ProcessUsage } from '../system/usage.ts';
import { probedLimit } from './ladder.ts';
import { pairsTalking, type Talk, warmedUp } from './message-routes.ts';

/** The latency that defines the limit; accepted messages must keep it above the limit too. */
const ackP99Ms = 150;
const refusalP99Ms = 150;
/**
 * If the latency at the limit exceeds the bound already, accepted messages may take this many times as long as at the
 * limit.
 */
const tolerableSlowing = 1.5;
/** After the overload follows half the limit, for the same time, but at most for this. */
const maxAfterSeconds = 60;
/** The system has recovered when it stays calm for this many seconds. */
const calmSeconds = 5;
const tolerableRecoverySeconds = 10;
const tolerableGrowthBytes = 256 * 2 ** 20;
/** The only error code that a refused send may have. */
const expectedRefusal = 'UNAVAILABLE';

/**
 * Load above the limit for minutes: the system must keep its latency for accepted messages, and refuse the others at
 * once.
 */
export const overload: Scenario = {
  name: 'overload',
  title: 'Overload, and the recovery from it',
  run: (laboratory, report) =>
    laboratory.withLoad(laboratory.options.processes, async (load) => {
      const { options } = laboratory;
      const talk = await pairsTalking(laboratory, load, options.pairs);
      const limit = options.limit > 0 ? options.limit : await probedLimit(laboratory, talk);
      if (limit === 0) return report.fault('the system sustains no load');

      const atLimit = await warmedUp(laboratory, talk, { rate: limit, seconds: options.seconds });
      report.step(messageStep('at the limit', atLimit));
      const measured = await beyond(laboratory, talk, limit);
      reportOverload(laboratory, report, { limit, ackP99: p99(atLimit.value.ack) }, measured);
      // A message that was refused late may be stored nevertheless; still, no message may be lost or duplicated.
      await talk.clients.settle(report, 'overload');
    }),
};

const afterSeconds = ({ overload: seconds }: Options): number => Math.min(seconds, maxAfterSeconds);

const beyond = (
  { options, measure }: Laboratory,
  { clients, routes }: Talk,
  limit: number,
): Promise<Measured<Outcome>> =>
  measure(() =>
    clients.send(routes, {
      rate: limit * options.times,
      seconds: options.overload,
      after: [{ rate: limit / 2, seconds: afterSeconds(options) }],
    }),
  );

function reportOverload(
  { options }: Laboratory,
  report: Report,
  { limit, ackP99 }: { limit: number; ackP99: number },
  measured: Measured<Outcome>,
): void {
  const { value, usage, stages } = measured;
  const during = value.timeline.filter(({ second }) => second < options.overload);
  const total = (of: 'sent' | 'acknowledged' | 'refused') =>
    during.reduce((sum, moment) => sum + moment[of], 0);
  const accepted = mergeHistograms(during.map(({ ack }) => ack));
  const recovery = secondsToRecover(
    value.timeline.filter(({ second }) => second >= options.overload).map(calm),
    {
      calmSeconds,
    },
  );
  const growth = growthOf(usage);
  report.step({
    label: `${options.times} × the limit`,
    figures: [
      figure('offered', total('sent') / options.overload, '/s', 'neither'),
      figure('acknowledged', total('acknowledged') / options.overload, '/s', 'higher'),
      figure('of the limit', (100 * total('acknowledged')) / options.overload / limit, '%', 'higher'),
      ...latencyFigures('ack', accepted),
      ...(value.refusal.count > 0 ? latencyFigures('refusal', value.refusal) : []),
      figure('recovery', recovery ?? afterSeconds(options), 's', 'lower'),
      ...growth.map(({ name, bytes }) => figure(`${name} grew`, bytes / 2 ** 20, 'MiB', 'lower')),
    ],
    latencies: [
      { name: 'ack', data: accepted },
      { name: 'refusal', data: value.refusal },
    ],
    usage,
    stages,
    timeline: value.timeline.map(({ second, sent, acknowledged, refused, ack }) => ({
      second,
      sent,
      acknowledged,
      refused,
      ackP99: p99(ack),
    })),
    notes: [
      `the limit is ${Math.round(limit)} per second`,
      ...(value.refusal.count > 0 ? [] : ['no message was refused: the real limit is higher']),
    ],
  });

  if (p99(accepted) > Math.max(ackP99Ms, tolerableSlowing * ackP99))
    report.fault(`accepted sends took ${p99(accepted)} ms (p99), at the limit ${ackP99} ms`);
  if (p99(value.refusal) > refusalP99Ms) report.fault(`refusals took ${p99(value.refusal)} ms (p99)`);
  if (recovery === undefined || recovery > tolerableRecoverySeconds)
    report.fault(`it took ${recovery ?? `more than ${afterSeconds(options)}`} s to recover`);
  for (const { name, bytes } of growth) {
    if (bytes > tolerableGrowthBytes) report.fault(`${name} grew by ${Math.round(bytes / 2 ** 20)} MiB`);
  }
  const wrong = Object.entries(value.refused).filter(([code]) => code !== expectedRefusal);
  for (const [code, times] of wrong) report.fault(`${times} sends were refused with ${code}`);
  if (value.unanswered > 0) report.fault(`${value.unanswered} sends got no answer`);
}

/** True for a second in which all messages were accepted, within the latency bound. */
const calm = ({ sent, acknowledged, ack }: Moment): boolean =>
  acknowledged === sent && createHistogram(ack).percentile(0.99) <= ackP99Ms * 1000;

const growthOf = (usage: readonly ProcessUsage[]): { name: string; bytes: number }[] =>
  usage
    .filter(({ name }) => !isLoad(name) && name !== machineName)
    .map(({ name, peakRss, startRss }) => ({ name, bytes: peakRss - startRss }));
