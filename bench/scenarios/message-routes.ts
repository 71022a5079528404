import type { Group } from '../fixtures/conversations.ts';
import type { Laboratory, Measured, Report } from '../laboratory/laboratory.ts';
import { createLoadClients, type Load, type LoadClients, type Outcome } from '../laboratory/load-clients.ts';
import type { Route } from '../load/commands.ts';
import type { LoadProcesses } from '../load/processes.ts';

export type Talk = { clients: LoadClients; routes: Route[] };

const parallelHeads = 8;

/** Pairs of friends who are all connected and send to each other. */
export async function pairsTalking(
  laboratory: Laboratory,
  load: LoadProcesses,
  count: number,
): Promise<Talk> {
  const clients = createLoadClients(laboratory, load);
  const pairs = await laboratory.conversations.pairs(count);
  const routes: Route[] = [];
  for (let from = 0; from < pairs.length; from += parallelHeads) {
    const some = pairs.slice(from, from + parallelHeads);
    const heads = await Promise.all(
      some.map(({ conversationId, ann }) => laboratory.conversations.head(conversationId, ann)),
    );
    for (const [index, { ann, bob, conversationId }] of some.entries()) {
      const follows: [string, number][] = [[conversationId, heads[index] ?? 0]];
      routes.push({ session: clients.add(ann, follows), conversationId });
      routes.push({ session: clients.add(bob, follows), conversationId });
    }
  }
  await clients.connect();
  return { clients, routes: alternating(routes) };
}

/** A group whose members are all connected and all send. */
export async function groupTalking(laboratory: Laboratory, load: LoadProcesses, group: Group): Promise<Talk> {
  const { conversationId, members, owner } = group;
  const clients = createLoadClients(laboratory, load);
  const head = await laboratory.conversations.head(conversationId, owner);
  const routes = members.map((member) => ({
    session: clients.add(member, [[conversationId, head]]),
    conversationId,
  }));
  await clients.connect();
  return { clients, routes };
}

/** Runs the load without measurement as a warm-up, then measures it. */
export async function warmedUp(
  laboratory: Laboratory,
  { clients, routes }: Talk,
  load: Load,
): Promise<Measured<Outcome>> {
  const { warmUp } = laboratory.options;
  await clients.send(routes, { ...load, seconds: warmUp });
  return laboratory.measure(() => clients.send(routes, load));
}

/** Reports refused and unanswered messages as faults, for a load that the system must sustain. */
export function expectAllAnswered(report: Report, what: string, { unanswered, refused }: Outcome): void {
  const times = Object.values(refused).reduce((sum, one) => sum + one, 0);
  if (times > 0) report.fault(`${what}: ${times} sends refused (${Object.keys(refused).join(', ')})`);
  if (unanswered > 0) report.fault(`${what}: ${unanswered} sends got no answer`);
}

/** All even routes, then all odd ones, so that the two users of a pair do not send at the same time. */
function alternating(routes: Route[]): Route[] {
  return [...routes.filter((_, index) => index % 2 === 0), ...routes.filter((_, index) => index % 2 === 1)];
}
