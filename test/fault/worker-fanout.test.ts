import assert from 'node:assert/strict';
import { after, before, test } from 'node:test';
import { eventually } from '../support/eventually.ts';
import { mapConcurrently } from '../support/map-concurrently.ts';
import { createGuests, newGuests } from '../support/people/guests.ts';
import { gateway2Url, gatewayUrl, newGroup, newPerson, type Person } from '../support/people/people.ts';
import { createReconnectingClient, type ReconnectingClient } from '../support/people/reconnecting-client.ts';
import { type Listener, listen } from '../support/people/seq-listener.ts';
import { kill } from '../support/servers/outage.ts';
import { openSystemParts } from '../support/system-parts.ts';

const members = 10_000;
const online = 1000;
/** Added by one call; a tenth of each is online, so that every page of members has some of them. */
const batch = 1000;
const quietMessages = 10;
const messages = 80;
/** The worker dies as soon as the first of a thousand has this one. */
const killAt = 30;
/** What the fan-out passes on together, and so repeats together. */
const longestRepeat = 200;

/** A worker that is back takes up at once what it had in hand, and does not wait until it is taken for dead. */
const longestAfterReturnMs = 5000;

const parts = openSystemParts();
let owner: Person;
let sender: ReconnectingClient;
let conversationId: string;
let listeners: Listener[] = [];
let killAtFirst: (() => void) | undefined;

before(
  async () => {
    owner = await newPerson('owner');
    const people: Person[] = [];
    for (let count = 0; count < members; count += batch) {
      const [guests, absent] = await Promise.all([
        newGuests((online * batch) / members),
        createGuests(parts.repo, batch - (online * batch) / members),
      ]);
      people.push(...guests);
      const userIds = [...guests.map(({ id }) => id), ...absent];
      if (count > 0) await owner.rest.post(`/conversations/${conversationId}/members`, { userIds });
      else conversationId = await newGroup(owner, userIds.map((id) => ({ id })) as Person[], 'ten thousand');
    }
    listeners = await mapConcurrently([...people.entries()], async ([index, person]) => {
      return listen(person, index % 2 === 0 ? gatewayUrl : gateway2Url, (id, seqId) => {
        if (id === conversationId && seqId === killAt) killAtFirst?.();
      });
    });
    sender = await createReconnectingClient(owner);
  },
  { timeout: 180_000 },
);
after(async () => {
  for (const listener of listeners) listener.close();
  await sender?.close();
});

const haveAll = (upTo: number) =>
  listeners.every((listener) => new Set(listener.seqs(conversationId)).size === upTo);

test('a message to 10,000 members reaches the 1,000 who are online, once each', {
  timeout: 120_000,
}, async (t) => {
  const times: number[] = [];
  for (let seqId = 1; seqId <= quietMessages; seqId += 1) {
    const from = performance.now();
    await sender.say(conversationId, `quiet-${seqId}`, 'hello');
    await eventually(() => haveAll(seqId), 30_000);
    times.push(Math.round(performance.now() - from));
  }
  t.diagnostic(`send to last socket, ms: ${times.toSorted((a, b) => a - b)}`);
  for (const listener of listeners) assert.deepEqual(listener.seqs(conversationId), upTo(quietMessages));
});

test('the worker dies in the middle: everyone has every message, in order', {
  timeout: 180_000,
}, async (t) => {
  let worker: ReturnType<typeof kill> | undefined;
  let killedAt = 0;
  let back: Promise<number> | undefined;
  killAtFirst = () => {
    killAtFirst = undefined;
    worker = kill('task');
    killedAt = performance.now();
    back = worker.recovered().then(() => performance.now());
  };
  for (let seqId = quietMessages + 1; seqId <= messages; seqId += 1) {
    await sender.say(conversationId, `message-${seqId}`, 'hello');
  }
  await eventually(() => worker !== undefined);
  assert.ok(!haveAll(messages), 'the worker died too late');
  await eventually(() => haveAll(messages), 90_000);
  const doneAt = performance.now();
  t.diagnostic(`from the kill to the last socket: ${Math.round(doneAt - killedAt)} ms`);
  const afterReturn = Math.round(doneAt - ((await back) ?? 0));
  t.diagnostic(`from the worker's return to the last socket: ${afterReturn} ms`);
  assert.ok(afterReturn < longestAfterReturnMs);

  let repeats = 0;
  for (const listener of listeners) {
    const seqs = listener.seqs(conversationId);
    assert.deepEqual([...new Set(seqs)], upTo(messages), 'in order, whatever was repeated');
    // A repeated part may overlap the previous one; from its start on, everything is in order.
    const steps = seqs.slice(1).map((seqId, index) => seqId - (seqs[index] ?? 0));
    assert.ok(steps.filter((step) => step !== 1).length <= 1, `order of ${listener.userId}: ${seqs}`);
    assert.ok(seqs.length - messages <= longestRepeat);
    repeats += seqs.length - messages;
  }
  t.diagnostic(`repeated: ${repeats} of ${messages * online}`);

  await eventually(async () => {
    const { progress } = await parts.repo.conversations.getFanoutProgress({
      conversationIds: [conversationId],
    });
    return progress[0]?.fanoutDoneSeq === messages && progress[0].lastSeqId === messages;
  });
});

const upTo = (count: number): number[] => Array.from({ length: count }, (_, index) => index + 1);
