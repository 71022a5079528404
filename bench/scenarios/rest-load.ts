import { mergeCounts } from '../laboratory/crowd.ts';
import type { Laboratory, Measured, Report } from '../laboratory/laboratory.ts';
import type { RestCall, RestReport } from '../load/commands.ts';
import type { LoadProcesses } from '../load/processes.ts';
import { monotonicMicros } from '../measure/clock.ts';
import { mergeHistograms } from '../measure/histogram.ts';

export type RestLoad = { calls: RestCall[]; seconds: number } & ({ rate: number } | { connections: number });
export type RestOutcome = RestReport & { callsPerSecond: number };

/** Enough connections for an open loop: a call that finds none free waits, and its latency counts the wait. */
const openLoopConnections = 64;
const leadMicros = 50_000;

/** Loads REST from all load processes, warmed up first. */
export async function loadRest(
  laboratory: Laboratory,
  load: LoadProcesses,
  how: RestLoad,
): Promise<Measured<RestOutcome>> {
  await once(laboratory, load, { ...how, seconds: laboratory.options.warmUp });
  return laboratory.measure(() => once(laboratory, load, how));
}

/** Anything but 2xx fails the run. */
export function expectAnswers(report: Report, what: string, { failures }: RestReport): void {
  for (const [failure, times] of Object.entries(failures)) report.fault(`${what}: ${times} times ${failure}`);
}

async function once(laboratory: Laboratory, load: LoadProcesses, how: RestLoad): Promise<RestOutcome> {
  const startsAt = monotonicMicros() + leadMicros;
  const share = load.all.length;
  const reports = await load.tellEach('rest', (_, index) => {
    const own = how.calls.filter((_call, at) => at % share === index);
    const common = { gateway: laboratory.gatewayOf(index), calls: own, seconds: how.seconds };
    return 'rate' in how
      ? {
          ...common,
          kind: 'open',
          connections: openLoopConnections,
          rate: how.rate / share,
          startsAt,
          seed: index + 1,
        }
      : { ...common, kind: 'closed', connections: Math.ceil(how.connections / share) };
  });
  const lastAnswerAt = Math.max(...reports.map((report) => report.lastAnswerAt));
  const answered = reports.reduce((sum, report) => sum + report.answered, 0);
  return {
    answered,
    failures: mergeCounts(reports.map(({ failures }) => failures)),
    latency: mergeHistograms(reports.map(({ latency }) => latency)),
    bytes: reports.reduce((sum, report) => sum + report.bytes, 0),
    sample: reports[0]?.sample ?? '',
    lastAnswerAt,
    callsPerSecond: answered / Math.max(how.seconds, (lastAnswerAt - startsAt) / 1e6),
  };
}
