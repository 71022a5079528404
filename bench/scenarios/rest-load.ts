import type { Laboratory, Measured, Report } from '../laboratory/laboratory.ts';
import { mergeCounts } from '../laboratory/load-clients.ts';
import type { RestCall, RestReport } from '../load/commands.ts';
import type { LoadProcesses } from '../load/processes.ts';
import { monotonicMicros } from '../measure/clock.ts';
import { mergeHistograms } from '../measure/histogram.ts';

export type RestLoad = { calls: RestCall[]; seconds: number } & ({ rate: number } | { connections: number });
export type RestOutcome = RestReport & { callsPerSecond: number };

/** Connections of an open loop: a call waits if none is free, and its latency includes the wait. */
const openLoopConnections = 64;
const leadMicros = 50_000;

/** Makes REST calls from all load processes, after a warm-up. */
export async function loadRest(
  laboratory: Laboratory,
  load: LoadProcesses,
  how: RestLoad,
): Promise<Measured<RestOutcome>> {
  await loadFor(laboratory, load, how, laboratory.options.warmUp);
  return laboratory.measure(() => loadFor(laboratory, load, how, how.seconds));
}

/** Reports every answer that is not 2xx as a fault. */
export function expectAnswers(report: Report, what: string, { failures }: RestReport): void {
  for (const [failure, times] of Object.entries(failures)) report.fault(`${what}: ${times} times ${failure}`);
}

/** Makes each call once, as fast as the connections allow. */
export const callOnce = (
  laboratory: Laboratory,
  load: LoadProcesses,
  calls: RestCall[],
  connections: number,
): Promise<Measured<RestOutcome>> =>
  laboratory.measure(() =>
    run(laboratory, load, calls, { kind: 'once', connections: Math.ceil(connections / load.all.length) }),
  );

async function loadFor(
  laboratory: Laboratory,
  load: LoadProcesses,
  how: RestLoad,
  seconds: number,
): Promise<RestOutcome> {
  const share = load.all.length;
  if ('rate' in how) {
    const rate = how.rate / share;
    return run(laboratory, load, how.calls, {
      kind: 'open',
      connections: openLoopConnections,
      rate,
      seconds,
    });
  }
  const connections = Math.ceil(how.connections / share);
  return run(laboratory, load, how.calls, { kind: 'closed', connections, seconds });
}

/** The common part of all load processes' plans: without the calls and the schedule of each process. */
type Plan =
  | { kind: 'open'; connections: number; seconds: number; rate: number }
  | { kind: 'closed'; connections: number; seconds: number }
  | { kind: 'once'; connections: number };

async function run(
  laboratory: Laboratory,
  load: LoadProcesses,
  calls: RestCall[],
  plan: Plan,
): Promise<RestOutcome> {
  const startsAt = monotonicMicros() + (plan.kind === 'open' ? leadMicros : 0);
  const share = load.all.length;
  const reports = await load.callEach('rest', (_, index) => {
    const own = calls.filter((_call, at) => at % share === index);
    const common = { gateway: laboratory.gatewayOf(index), calls: own };
    return plan.kind === 'open' ? { ...common, ...plan, startsAt, seed: index + 1 } : { ...common, ...plan };
  });
  const lastAnswerAt = Math.max(...reports.map((report) => report.lastAnswerAt));
  const answered = reports.reduce((sum, report) => sum + report.answered, 0);
  const planned = plan.kind === 'once' ? 0 : plan.seconds;
  return {
    answered,
    failures: mergeCounts(reports.map(({ failures }) => failures)),
    latency: mergeHistograms(reports.map(({ latency }) => latency)),
    bytes: reports.reduce((sum, report) => sum + report.bytes, 0),
    sample: reports[0]?.sample ?? '',
    lastAnswerAt,
    callsPerSecond: answered / Math.max(planned, (lastAnswerAt - startsAt) / 1e6),
  };
}
