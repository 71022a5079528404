import type { Account } from '../fixtures/cache.ts';
import type { Laboratory, Report, Scenario } from '../laboratory/laboratory.ts';
import type { RestCall } from '../load/commands.ts';
import type { LoadProcesses } from '../load/processes.ts';
import { restStep } from '../steps/steps.ts';
import { groupTalking } from './message-routes.ts';
import { libraryOf } from './readers.ts';
import { expectAnswers, loadRest } from './rest-load.ts';

const page = 50;
const differentPages = 8000;
const connections = 32;
/** The highest rate, per second: with its default limits the gateway allows 20 requests per second and user. */
const rate = 1000;
const callsPerUser = 15;
const inFlight = 4;
/** The duration of one round of filling; a round that adds no message has failed. */
const fillSeconds = 2;

/** Reads fifty messages of a long conversation: the newest, and those at random positions. */
export const history: Scenario = {
  name: 'history',
  title: 'History',
  run: (laboratory, report) =>
    laboratory.withLoad(laboratory.options.processes, async (load) => {
      const { readers, seconds } = laboratory.options;
      const { conversationId, members, head } = await longConversation(laboratory, load, report);
      const path = `/conversations/${conversationId}/messages?limit=${page}`;
      const places: [string, (index: number) => string][] = [
        ['newest page', () => path],
        ['in the middle', () => `${path}&beforeSeq=${Math.floor(head / 2)}`],
        ['oldest page', () => `${path}&afterSeq=0`],
        [
          'anywhere',
          (index) => `${path}&beforeSeq=${page + 1 + ((index * 7919) % Math.max(1, head - page))}`,
        ],
      ];
      // More pages near the end than a gateway caches.
      const nearEnd = (index: number) =>
        `${path}&beforeSeq=${head - (index % Math.min(head, differentPages))}`;
      for (const [place, pathOf, turns = 5] of [
        ...places,
        ['page that the gateway does not hold', nearEnd, 50] as const,
      ]) {
        const label = `${place} of ${magnitude(head)} messages`;
        const calls = members.flatMap(({ accessToken }, member) =>
          Array.from(
            { length: turns },
            (_, turn): RestCall => ({ method: 'GET', path: pathOf(member * turns + turn), accessToken }),
          ),
        );
        const open = Math.min(rate, readers * callsPerUser);
        for (const [words, how] of [
          [`${open} per second`, { rate: open }],
          [`${connections} callers`, { connections }],
        ] as const) {
          const measured = await loadRest(laboratory, load, { calls, seconds, ...how });
          report.step(restStep(`${label}, ${words}`, measured));
          expectAnswers(report, label, measured.value);
          const { messages } = JSON.parse(measured.value.sample) as { messages: { seqId: number }[] };
          const ascending = messages.every(
            ({ seqId }, index) => index === 0 || seqId === (messages[index - 1]?.seqId ?? 0) + 1,
          );
          if (messages.length !== page || !ascending)
            report.fault(`${label}: a page of ${messages.length} messages is wrong`);
        }
      }
    }),
};

async function longConversation(laboratory: Laboratory, load: LoadProcesses, report: Report) {
  const { conversations, options, seeds } = laboratory;
  if (!seeds) {
    const group = await conversations.group('history', options.readers);
    return { ...group, head: await fill(laboratory, load, report, { ...group, depth: options.depth }) };
  }
  const { readers, longConversationId } = await libraryOf(laboratory, seeds);
  const [anyone] = readers;
  if (!anyone) throw new Error('there are no readers');
  const head = await conversations.head(longConversationId, anyone);
  return { conversationId: longConversationId, members: readers, head };
}

/** Sends messages until the conversation is long enough; the next run uses it again. */
async function fill(
  laboratory: Laboratory,
  load: LoadProcesses,
  report: Report,
  { conversationId, members, depth }: { conversationId: string; members: Account[]; depth: number },
): Promise<number> {
  const [owner] = members;
  if (!owner) throw new Error('the group is empty');
  let head = await laboratory.conversations.head(conversationId, owner);
  if (head >= depth) return head;
  laboratory.say(`Filling the long conversation: ${depth - head} messages, once for this system`);
  // A few online members are enough, since each message is delivered to all of them.
  const talk = await groupTalking(laboratory, load, { conversationId, owner, members: members.slice(0, 20) });
  while (head < depth) {
    const { acknowledged } = await talk.clients.send(talk.routes, { inFlight, seconds: fillSeconds });
    if (acknowledged === 0) throw new Error('the long conversation does not grow');
    head += acknowledged;
  }
  await talk.clients.settle(report, 'filling');
  await talk.clients.disconnect(talk.routes.map(({ session }) => session));
  return laboratory.conversations.head(conversationId, owner);
}

/** The depth as a rounded word, which is the same in every run, so that runs can be compared. */
const magnitude = (head: number): string => {
  const power = 10 ** Math.floor(Math.log10(head));
  return `about ${(Math.round(head / power) * power).toLocaleString('en-GB')}`;
};
