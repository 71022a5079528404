import assert from 'node:assert/strict';
import { after, before, test } from 'node:test';
import { eventually } from '../support/eventually.ts';
import { createGuests, newGuests } from '../support/people/guests.ts';
import {
  type Chat,
  chat,
  gateway2Url,
  gatewayUrl,
  newGroup,
  newPerson,
  type Person,
} from '../support/people/people.ts';
import { type Listener, listen } from '../support/people/seq-listener.ts';
import { openSystemParts } from '../support/system-parts.ts';

const groups = 3;
const membersEach = 1500;
const onlineEach = 10;
/** Messages per second to each group: what two processors carry beside everything else. */
const rate = 4;
const rounds = 5;
/** Friend requests in a round, one after the other. */
const requests = 40;
/** Members that one call adds. */
const batch = 1000;

type Group = { conversationId: string; owner: Chat; listeners: Listener[]; sent: number };

const parts = openSystemParts();
const flooded: Group[] = [];
before(
  async () => {
    for (let index = 0; index < groups; index += 1) flooded.push(await largeGroup());
  },
  { timeout: 120_000 },
);
after(async () => {
  for (const { owner, listeners } of flooded) {
    await owner.close();
    for (const listener of listeners) listener.close();
  }
});

async function largeGroup(): Promise<Group> {
  const [owner, guests, absent] = await Promise.all([
    newPerson('owner'),
    newGuests(onlineEach),
    createGuests(parts.repo, membersEach - onlineEach),
  ]);
  const userIds = [...guests.map(({ id }) => id), ...absent];
  const first = userIds.slice(0, batch).map((id) => ({ id })) as Person[];
  const conversationId = await newGroup(owner, first, 'flooded');
  await owner.rest.post(`/conversations/${conversationId}/members`, { userIds: userIds.slice(batch) });
  const listeners = await Promise.all(
    guests.map((guest, index) => listen(guest, index % 2 === 0 ? gatewayUrl : gateway2Url)),
  );
  return { conversationId, owner: await chat(owner), listeners, sent: 0 };
}

/** How long friend requests take, the 99th of a hundred; of fewer than a hundred it is the slowest but one. */
async function requestTimes(): Promise<number> {
  const [target, ...askers] = (await newGuests(requests + 1)) as [Person, ...Person[]];
  const times: number[] = [];
  for (const asker of askers) {
    const from = performance.now();
    await asker.rest.post('/friends/requests', { targetUserId: target.id });
    times.push(performance.now() - from);
  }
  return times.toSorted((a, b) => a - b).at(-2) ?? 0;
}

/** Messages to all groups at their rate, while something else is done. */
async function underFlood<T>(work: () => Promise<T>): Promise<T> {
  const flood = setInterval(() => {
    for (const group of flooded) {
      group.sent += 1;
      group.owner.send('send-message', {
        conversationId: group.conversationId,
        clientMsgId: `m${group.sent}`,
        content: 'flood',
      });
    }
  }, 1000 / rate);
  try {
    return await work();
  } finally {
    clearInterval(flood);
  }
}

test('a flood of fan-outs moves the p99 of friend requests by less than half', {
  timeout: 240_000,
}, async (t) => {
  // The first ones of either kind find cold caches.
  await underFlood(requestTimes);
  const quiet: number[] = [];
  const flood: number[] = [];
  for (let round = 0; round < rounds; round += 1) {
    quiet.push(await requestTimes());
    flood.push(await underFlood(requestTimes));
    await eventually(allArrived, 30_000);
  }
  t.diagnostic(`p99 quiet ${rounded(quiet)} ms, under flood ${rounded(flood)} ms`);
  const [before, after] = [median(quiet), median(flood)];
  assert.ok(after < 1.5 * before, `p99 ${before.toFixed(1)} ms → ${after.toFixed(1)} ms`);
  for (const { conversationId, listeners, sent } of flooded) {
    for (const listener of listeners) {
      assert.deepEqual(
        listener.seqs(conversationId),
        Array.from({ length: sent }, (_, index) => index + 1),
      );
    }
  }
});

const allArrived = () =>
  flooded.every(({ conversationId, listeners, sent }) =>
    listeners.every((listener) => listener.seqs(conversationId).length >= sent),
  );

const rounded = (numbers: number[]) => numbers.map((number) => number.toFixed(0));

const median = (numbers: number[]): number => {
  const sorted = numbers.toSorted((a, b) => a - b);
  return ((sorted[(sorted.length - 1) >> 1] ?? 0) + (sorted[sorted.length >> 1] ?? 0)) / 2;
};
