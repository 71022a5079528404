import type { Laboratory, Measured, Report, Scenario } from '../laboratory/laboratory.ts';
import type { Outcome } from '../laboratory/load-clients.ts';
import type { Figure } from '../report/result.ts';
import { figure, messageStep } from '../steps/steps.ts';
import type { Size } from '../system/system.ts';
import type { ProcessUsage } from '../system/usage.ts';
import { heat } from './heat.ts';
import { probedLimit } from './ladder.ts';
import { expectAllAnswered, pairsTalking, warmedUp } from './message-routes.ts';

const sizes: Size[] = [
  { gateways: 1, logics: 1, core: true },
  { gateways: 1, logics: 1, core: false },
  { gateways: 2, logics: 1, core: false },
  { gateways: 1, logics: 2, core: false },
  { gateways: 2, logics: 2, core: false },
];

/**
 * The same load on more processes. On a machine without free cores the limit stays the same; the CPU time per message
 * of the busiest process of each kind then shows what a larger machine would gain.
 */
export const scaling: Scenario = {
  name: 'scaling',
  title: 'A second gateway and a second logic process',
  async run(laboratory, report) {
    const { system, options } = laboratory;
    const { resize } = system;
    if (!resize) {
      laboratory.say(
        'Left out: only a system that the bench has started can be restarted with more processes.',
      );
      return;
    }
    for (const size of sizes) {
      await resize(size);
      await heat(laboratory, Math.ceil(options.heat / 4));
      await measureSize(laboratory, report, size);
    }
    await resize(options.own);
  },
};

function measureSize(
  laboratory: Laboratory,
  report: Report,
  { gateways, logics, core }: Size,
): Promise<void> {
  const { options } = laboratory;
  return laboratory.withLoad(options.processes, async (load) => {
    const talk = await pairsTalking(laboratory, load, options.pairs);
    const rate = Math.min(...options.rates.filter((one) => one >= 1000), Math.max(...options.rates));
    const storing = core ? 'logic and repo in one' : counted(logics, 'logic process', 'logic processes');
    const label = `${counted(gateways, 'gateway', 'gateways')}, ${storing}`;
    const measured = await warmedUp(laboratory, talk, { rate, seconds: options.seconds });
    expectAllAnswered(report, label, measured.value);
    const limit = await probedLimit(laboratory, talk);
    report.step(
      messageStep(label, measured, [
        figure('limit', limit, '/s', 'higher'),
        busiest(measured, 'gateway'),
        busiest(measured, core ? 'core' : 'logic'),
      ]),
    );
    await talk.clients.settle(report, label);
  });
}

/** The CPU time per accepted message of the busiest process of a kind. */
function busiest({ usage, seconds, value }: Measured<Outcome>, kind: string): Figure {
  const cores = usage.filter(isOf(kind)).map((one) => one.cores);
  const milliseconds = (Math.max(0, ...cores) * seconds * 1000) / Math.max(1, value.acknowledged);
  return figure(`CPU of the busiest ${kind}`, milliseconds, 'ms', 'lower');
}

const isOf =
  (kind: string) =>
  ({ name }: ProcessUsage): boolean =>
    name.replace(/-\d+$/, '') === kind;

const counted = (count: number, one: string, several: string): string =>
  count === 1 ? `1 ${one}` : `${count} ${several}`;
