import type { Group } from '../fixtures/conversations.ts';
import type { Laboratory, Measured, Report, Scenario } from '../laboratory/laboratory.ts';
import type { LoadClients, Outcome } from '../laboratory/load-clients.ts';
import type { Route } from '../load/commands.ts';
import { ratiosOf } from '../steps/ratios.ts';
import { figuresOnly, messageStep } from '../steps/steps.ts';
import { expectAllAnswered, pairsTalking, type Talk, warmedUp } from './message-routes.ts';

/** At this rate each message waits for nothing but its own way. */
const rate = 10;
const tolerableRatio = 1.25;

/** What the system goes through, at `--age 100`. */
const life = {
  accounts: 2000,
  killedClients: 500,
  smallGroups: 50,
  /** Their messages go through the flow fanoutMessages. */
  largeGroups: 10,
  pairMessages: 170_000,
  smallGroupMessages: 28_000,
  largeGroupMessages: 2000,
};
const rates = { pairs: 1500, smallGroups: 400, largeGroups: 40 };
const onlineMembers = 20;
/** Above the 500 members from which messages go through the flow; the others are guests who are never online. */
const absentMembers = 510;
/** Clients come and are killed between the messages, in this many rounds. */
const rounds = 5;

/** A message's latency at a low rate, before and after much use: it must not grow with what the system went through. */
export const ageing: Scenario = {
  name: 'ageing',
  title: 'Latency at a low rate before and after much use',
  run: (laboratory, report) =>
    laboratory.withLoad(laboratory.options.processes, async (load) => {
      const talk = await pairsTalking(laboratory, load, laboratory.options.pairs);
      const fresh = await calm(laboratory, report, talk, 'fresh');
      await age(laboratory, report, talk);
      const aged = await calm(laboratory, report, talk, 'aged');
      const figures = ratiosOf(messageStep('', fresh).figures, messageStep('', aged).figures);
      report.step({ label: 'aged ÷ fresh', figures, ...figuresOnly });
      for (const { name, value } of figures) {
        if (name.startsWith('ack ') && value > tolerableRatio) report.fault(`${name} grew by × ${value}`);
      }
      await talk.clients.settle(report, '1:1');
    }),
};

async function calm(
  laboratory: Laboratory,
  report: Report,
  talk: Talk,
  label: string,
): Promise<Measured<Outcome>> {
  const measured = await warmedUp(laboratory, talk, { rate, seconds: laboratory.options.hold });
  report.step(messageStep(`${label}, ${rate} a second`, measured));
  expectAllAnswered(report, label, measured.value);
  return measured;
}

/** Everything that makes a system old, in parts, as all of it comes in a real life. */
async function age(
  laboratory: Laboratory,
  report: Report,
  { clients, routes: pairRoutes }: Talk,
): Promise<void> {
  const { accounts, options, say } = laboratory;
  const part = (count: number) => Math.max(1, Math.round((count * options.age) / 100));
  const people = await accounts.take(part(life.accounts));
  const mortals = people.slice(-part(life.killedClients));
  const small = await groupTalk(laboratory, clients, 'small', part(life.smallGroups), 0);
  const large = await groupTalk(laboratory, clients, 'large', part(life.largeGroups), absentMembers);
  const traffic = [
    { routes: pairRoutes, rate: rates.pairs, messages: life.pairMessages },
    { routes: small.routes, rate: rates.smallGroups, messages: life.smallGroupMessages },
    { routes: large.routes, rate: rates.largeGroups, messages: life.largeGroupMessages },
  ];

  for (let round = 0; round < rounds; round += 1) {
    const killed = mortals
      .filter((_, index) => index % rounds === round)
      .map((account) => clients.add(account, []));
    await clients.connect();
    for (const { routes, rate, messages } of traffic) {
      const seconds = Math.max(1, Math.round(part(messages) / rounds / rate));
      expectAllAnswered(report, 'meanwhile', await clients.send(routes, { rate, seconds }));
    }
    await clients.disconnect(killed, true);
    say(`Used: ${round + 1} of ${rounds} parts`);
  }
  await clients.settle(report, 'meanwhile');
  await clients.disconnect([...small.sessions, ...large.sessions]);
}

/** Groups with the same members, who are connected and all send to all of them. */
async function groupTalk(
  { conversations }: Laboratory,
  clients: LoadClients,
  purpose: string,
  count: number,
  absent: number,
): Promise<{ sessions: number[]; routes: Route[] }> {
  const groups: Group[] = [];
  const follows: [string, number][] = [];
  for (let index = 0; index < count; index += 1) {
    const group = await conversations.group(`age ${purpose} ${index}`, onlineMembers, absent);
    groups.push(group);
    follows.push([group.conversationId, await conversations.head(group.conversationId, group.owner)]);
  }
  const sessions = (groups[0]?.members ?? []).map((member) => clients.add(member, follows));
  await clients.connect();
  const routes = sessions.flatMap((session) =>
    groups.map(({ conversationId }) => ({ session, conversationId })),
  );
  return { sessions, routes };
}
