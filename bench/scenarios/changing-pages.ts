import { setTimeout as pause } from 'node:timers/promises';
import type { Account } from '../fixtures/cache.ts';
import type { Laboratory, Measured, Scenario } from '../laboratory/laboratory.ts';
import { mergeCounts } from '../laboratory/load-clients.ts';
import type { RestCall } from '../load/commands.ts';
import { mergeHistograms } from '../measure/histogram.ts';
import { restStep } from '../steps/steps.ts';
import type { ProcessUsage } from '../system/usage.ts';
import { seedsOf } from './growth.ts';
import { callOnce, expectAnswers, type RestOutcome } from './rest-load.ts';

const conversationsPerReader = [1, 500];
/** The share of the pages that a message changes before they are read again. */
const shares = [0, 0.2, 1];
/** Readers are split into crews with common conversations; a message changes the pages of one crew. */
const crews = 20;
const messages = 100;
const connections = 8;
/** The background work after a message takes less than this. */
const settleMs = 100;

type Crew = { members: Account[]; conversationId: string };

/**
 * Repeated reads of the conversation list and of the newest page of history, while some of the pages change in
 * between.
 */
export const changingPages: Scenario = {
  name: 'changing-pages',
  title: 'Pages, some of which change between two reads',
  run: (laboratory, report) =>
    laboratory.withLoad(laboratory.options.processes, async (load) => {
      const { seconds, warmUp } = laboratory.options;
      for (const size of conversationsPerReader) {
        const all = await crewsOf(laboratory, size);
        if (!all) return;
        const reads: [what: string, calls: RestCall[]][] = [
          [
            'list',
            all.flatMap(({ members }) => members.map((reader) => get(reader, '/conversations?limit=50'))),
          ],
          [
            'newest page',
            all.flatMap(({ members, conversationId }) =>
              // Each reader has another page length: otherwise a crew would share one cached page.
              members.map((reader, n) =>
                get(reader, `/conversations/${conversationId}/messages?limit=${50 + n}`),
              ),
            ),
          ],
        ];
        for (const [what, calls] of reads) {
          for (const share of shares) {
            const label = `${what}, ${size} conversations, ${share * 100} % changed`;
            const rounds = async (atLeast: number): Promise<Measured<RestOutcome>> => {
              const done: Measured<RestOutcome>[] = [];
              while (done.reduce((sum, round) => sum + round.seconds, 0) < atLeast) {
                await speak(laboratory, all, done.length, share);
                done.push(await callOnce(laboratory, load, calls, connections));
              }
              return inAll(done);
            };
            await rounds(warmUp);
            const measured = await rounds(seconds);
            report.step(restStep(label, measured));
            expectAnswers(report, label, measured.value);
          }
        }
      }
    }),
};

const get = ({ accessToken }: Account, path: string): RestCall => ({ method: 'GET', path, accessToken });

/** Sends a message in the conversations of a share of the crews, of other crews in each round. */
async function speak({ rest }: Laboratory, all: Crew[], round: number, share: number): Promise<void> {
  const count = Math.round(all.length * share);
  const speaking = Array.from({ length: count }, (_, index) => all[(round * count + index) % all.length]);
  await Promise.all(
    speaking.map(async (crew) => {
      const [speaker] = crew?.members ?? [];
      if (!crew || !speaker) return;
      const message = { clientMsgId: `round-${Date.now()}`, content: 'Something that was not there before.' };
      await rest.call('POST', `/conversations/${crew.conversationId}/messages`, speaker.accessToken, message);
    }),
  );
  if (count > 0) await pause(settleMs);
}

/** Undefined if the database cannot be seeded. */
async function crewsOf(laboratory: Laboratory, size: number): Promise<Crew[] | undefined> {
  const seeds = seedsOf(laboratory);
  if (!seeds) return undefined;
  const { accounts, options } = laboratory;
  const perCrew = Math.max(1, Math.floor(options.readers / crews));
  const key = `${perCrew} readers of each crew, ${size} conversations`;
  const groupKey = (crew: number) => `${key}, crew ${crew}`;
  const split = (people: Account[]) =>
    Array.from({ length: crews }, (_, crew) => people.slice(crew * perCrew, (crew + 1) * perCrew));
  const people = await accounts.crew(key, crews * perCrew, async (fresh) => {
    laboratory.say(`Writing ${size} conversations for each of ${fresh.length} users`);
    for (const [crew, members] of split(fresh).entries()) {
      const memberIds = members.map(({ userId }) => userId);
      if (size > 1) await seeds.groups(`crew ${crew}`, memberIds, size - 1);
      accounts.fixtures.groups[groupKey(crew)] = await seeds.group(`crew ${crew}`, memberIds, messages);
    }
  });
  return split(people).map((members, crew) => ({
    members,
    conversationId: accounts.fixtures.groups[groupKey(crew)] ?? '',
  }));
}

/** Merges several rounds into one. */
function inAll(rounds: Measured<RestOutcome>[]): Measured<RestOutcome> {
  const seconds = rounds.reduce((sum, round) => sum + round.seconds, 0);
  const outcomes = rounds.map(({ value }) => value);
  const answered = outcomes.reduce((sum, one) => sum + one.answered, 0);
  const busy = outcomes.reduce((sum, one) => sum + one.answered / one.callsPerSecond, 0);
  return {
    seconds,
    stages: [],
    grown: (prefix) => rounds.reduce((sum, round) => sum + round.grown(prefix), 0),
    usage: (rounds.at(-1)?.usage ?? []).map(
      (last): ProcessUsage => ({ ...last, cores: coreSeconds(rounds, last.name) / seconds }),
    ),
    value: {
      answered,
      callsPerSecond: answered / busy,
      failures: mergeCounts(outcomes.map(({ failures }) => failures)),
      latency: mergeHistograms(outcomes.map(({ latency }) => latency)),
      bytes: outcomes.reduce((sum, { bytes }) => sum + bytes, 0),
      sample: outcomes.at(-1)?.sample ?? '',
      lastAnswerAt: outcomes.at(-1)?.lastAnswerAt ?? 0,
    },
  };
}

const coreSeconds = (rounds: Measured<RestOutcome>[], name: string): number =>
  rounds.reduce(
    (sum, round) => sum + (round.usage.find((one) => one.name === name)?.cores ?? 0) * round.seconds,
    0,
  );
