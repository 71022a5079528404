import type { Account } from '../fixtures/cache.ts';
import type { Seeds } from '../fixtures/seeds.ts';
import type { Laboratory, Report } from '../laboratory/laboratory.ts';
import { createLoadClients } from '../laboratory/load-clients.ts';
import type { RestCall, Route } from '../load/commands.ts';
import type { LoadProcesses } from '../load/processes.ts';
import type { Figure, Step } from '../report/result.ts';
import { ratiosOf } from '../steps/ratios.ts';
import { figuresOnly, messageStep, restStep } from '../steps/steps.ts';
import { expectAllAnswered, type Talk, warmedUp } from './message-routes.ts';
import { expectAnswers, loadRest } from './rest-load.ts';

/** The same load at growing sizes: its cost must not grow with the size. */
export type Growth = {
  /** Sends at the usual rate, then closes all sockets. */
  sends(size: number, talk: Talk): Promise<void>;
  /** Calls REST at the usual rate or, with 'one caller', one call after the other. */
  calls(size: number, what: string, calls: RestCall[], how?: 'one caller'): Promise<void>;
  /** Adds another step of a size. */
  step(size: number, what: string, step: Step): void;
  /** Reports the ratios of the largest size to the smallest. */
  compare(): void;
};

export function createGrowth(
  laboratory: Laboratory,
  load: LoadProcesses,
  report: Report,
  unit: string,
): Growth {
  const { seconds, growRate, growCalls } = laboratory.options;
  const steps = new Map<string, { size: number; figures: Figure[] }[]>();
  const labelOf = (size: number, what: string) => `${what}, ${size.toLocaleString('en-GB')} ${unit}`;

  const growth: Growth = {
    step(size, what, step) {
      report.step({ ...step, label: labelOf(size, what) });
      steps.set(what, [...(steps.get(what) ?? []), { size, figures: step.figures }]);
    },

    async sends(size, talk) {
      const { clients, routes } = talk;
      const measured = await warmedUp(laboratory, talk, { rate: growRate, seconds });
      growth.step(size, 'send', messageStep('', measured));
      expectAllAnswered(report, labelOf(size, 'send'), measured.value);
      await clients.settle(report, labelOf(size, 'send'));
      await clients.disconnect([...new Set(routes.map(({ session }) => session))]);
    },

    async calls(size, what, calls, how) {
      const pace = how === 'one caller' ? { connections: 1 } : { rate: growCalls };
      const measured = await loadRest(laboratory, load, { calls, seconds, ...pace });
      growth.step(size, what, restStep('', measured));
      expectAnswers(report, labelOf(size, what), measured.value);
    },

    compare() {
      for (const [what, sizes] of steps) {
        const first = sizes.at(0);
        const last = sizes.at(-1);
        if (!first || !last || first === last) continue;
        report.step({
          label: `${what}: ${last.size.toLocaleString('en-GB')} against ${first.size.toLocaleString('en-GB')} ${unit}`,
          figures: ratiosOf(first.figures, last.figures),
          ...figuresOnly,
        });
      }
    },
  };
  return growth;
}

/** Members who are all connected and all send, each message to another conversation. */
export async function membersTalking(
  laboratory: Laboratory,
  load: LoadProcesses,
  members: readonly Account[],
  conversations: [id: string, head: number][],
): Promise<Talk> {
  const clients = createLoadClients(laboratory, load);
  const keys = members.map((account) => clients.add(account, conversations));
  await clients.connect();
  const rounds = Math.ceil(conversations.length / keys.length);
  const routes = Array.from(
    { length: rounds * keys.length },
    (_, index): Route => ({
      session: keys[index % keys.length] ?? 0,
      conversationId: conversations[index % conversations.length]?.[0] ?? '',
    }),
  );
  return { clients, routes };
}

/** The same call, by each of the members in turn. */
export const callsOf = (members: readonly Account[], path: string): RestCall[] =>
  members.map(({ accessToken }) => ({ method: 'GET', path, accessToken }));

/** The seeds; undefined, with a printed reason, if the database cannot be seeded. */
export function seedsOf({ seeds, say }: Laboratory): Seeds | undefined {
  if (!seeds) say('Skipped: the database of this system cannot be reached from here.');
  return seeds;
}
