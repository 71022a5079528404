import assert from 'node:assert/strict';
import { test } from 'node:test';
import { type Conversation, type FriendRequest, ProblemError } from '../../clients/sdk/rest.ts';
import { eventually } from '../support/eventually.ts';
import { pause } from '../support/pause.ts';
import { createGuests, keepAlive, newGuests } from '../support/people/guests.ts';
import {
  befriend,
  type Chat,
  chat,
  gateway2Url,
  newGroup,
  newPerson,
  type Person,
  uniqueName,
} from '../support/people/people.ts';
import { retryUntilAccepted } from '../support/people/retry-until-accepted.ts';
import { everythingReady, kill, whileFrozen } from '../support/servers/outage.ts';
import { openSystemParts } from '../support/system-parts.ts';

const outageMs = 60_000;
/** Interactive calls say within this time that the flow cannot be had. */
const answerWithinMs = 12_000;
const largeGroup = 600;
const everyMs = 250;
const mostMs = 5000;

const parts = openSystemParts();

type Asked = { request: FriendRequest };
type Opened = { conversation: Conversation };

/** Sends a message now and then, and notes how long each took to be acknowledged and to reach the other side. */
async function chatUntil(
  over: () => boolean,
  from: Chat,
  to: Chat,
  conversationId: string,
): Promise<number[]> {
  const times: number[] = [];
  while (!over()) {
    const at = performance.now();
    const { seqId } = await from.say(conversationId, 'tick');
    await to.expect('new-message', (data) => data.conversationId === conversationId && data.seqId === seqId);
    times.push(Math.round(performance.now() - at));
    await pause(everyMs);
  }
  return times;
}

/** A call that a flow has to answer, while there is none. */
async function unavailable(call: () => Promise<unknown>): Promise<number> {
  const from = performance.now();
  await assert.rejects(call, (error) => error instanceof ProblemError && error.status === 503);
  const took = performance.now() - from;
  assert.ok(took < answerWithinMs, `503 after ${took} ms`);
  return Math.round(took);
}

test('Temporal is down for a minute', { timeout: 240_000 }, async (t) => {
  const [owner, guests, absent] = await Promise.all([
    newPerson('owner'),
    newGuests(6),
    createGuests(parts.repo, largeGroup),
  ]);
  const [ann, bob, carl, dora, erik, fay] = guests as [Person, Person, Person, Person, Person, Person];
  const single = await befriend(ann, bob);
  await befriend(ann, carl);
  const large = await newGroup(owner, [ann, bob, ...absent.map((id) => ({ id }))] as Person[], 'large');
  const small = await newGroup(owner, [ann, bob, carl], 'small');
  const [annChat, bobChat, ownerChat, doraChat] = await Promise.all([
    chat(ann),
    chat(bob, gateway2Url),
    chat(owner),
    chat(dora, gateway2Url).then(keepAlive),
  ]);
  const carlChat = await chat(carl, gateway2Url);
  await annChat.expect('online-status', (data) => data.userId === carl.id && data.status === 'online');

  let over = false;
  const inSmall = 40;
  const quiet = [await timed(annChat, bobChat, single), await timed(ownerChat, annChat, small)].flat();
  const friendKey = uniqueName('key');
  const groupKey = uniqueName('key');
  const askDora = () =>
    erik.rest.post<Asked>('/friends/requests', { targetUserId: dora.id }, { idempotencyKey: friendKey });
  const createGroup = () =>
    owner.rest.post<Opened>(
      '/conversations',
      { type: 2, name: 'in an outage', memberIds: [dora.id, fay.id] },
      { idempotencyKey: groupKey },
    );

  const largeSent: number[] = [];
  await whileFrozen(['temporal'], async () => {
    const endsAt = Date.now() + outageMs;
    const chats = [
      chatUntil(() => over, annChat, bobChat, single),
      chatUntil(() => over, ownerChat, annChat, small),
    ];
    for (const listener of chats) listener.catch(() => undefined);
    await carlChat.close();
    const refused = [unavailable(askDora), unavailable(createGroup)];
    for (let count = 0; count < inSmall; count += 1) {
      const { seqId } = await ownerChat.say(large, `large ${count}`);
      largeSent.push(seqId);
    }
    t.diagnostic(`503 after ${await Promise.all(refused)} ms`);
    await eventually(() => Date.now() >= endsAt, outageMs + 1000);
    over = true;
    const times = (await Promise.all(chats)).flat();
    t.diagnostic(`quiet: ${summary(quiet)}; outage: ${summary(times)}`);
    assert.ok(times.length > outageMs / (everyMs + mostMs));
    assert.ok(Math.max(...times) < mostMs, `a message took ${Math.max(...times)} ms`);
    assert.ok(median(times) < 2 * median(quiet) + 50, `median ${median(quiet)} → ${median(times)} ms`);
    // Nobody can be announced before the flow has asked im-repo.
    assert.deepEqual(offline(annChat, carl), []);
  });

  const from = performance.now();
  for (const socket of [annChat, bobChat]) {
    await eventually(() => seqsIn(socket, large).length >= largeSent.length, 60_000);
    assert.deepEqual([...new Set(seqsIn(socket, large))], largeSent);
  }
  t.diagnostic(`fan-out caught up after ${Math.round(performance.now() - from)} ms`);
  await eventually(() => offline(annChat, carl).length > 0, 60_000);
  t.diagnostic(`offline was told after ${Math.round(performance.now() - from)} ms`);

  const [asked, made] = await Promise.all([retryUntilAccepted(askDora), retryUntilAccepted(createGroup)]);
  t.diagnostic(`the calls completed after ${Math.round(performance.now() - from)} ms`);
  assert.equal((await askDora()).request.id, asked.answer.request.id);
  assert.equal((await createGroup()).conversation.id, made.answer.conversation.id);
  const { requests } = await dora.rest.get<{ requests: FriendRequest[] }>(
    '/friends/requests?direction=incoming',
  );
  assert.deepEqual(
    requests.map(({ id }) => id),
    [asked.answer.request.id],
  );
  const { conversations } = await dora.rest.get<{ conversations: Conversation[] }>('/conversations');
  assert.equal(conversations.filter(({ name }) => name === 'in an outage').length, 1);
  await doraChat.expect('friend-request');
  await doraChat.expect('conversation-created');
  await everythingReady();
  assert.equal(doraChat.all('friend-request').length, 1);
  assert.equal(doraChat.all('conversation-created').length, 1);
  assert.equal(offline(annChat, carl).length, 1);
  await Promise.all([annChat, bobChat, ownerChat, doraChat].map((socket) => socket.close()));
});

test('Temporal is killed and comes back with its flows', { timeout: 180_000 }, async () => {
  const [ann, bob, carl] = (await newGuests(3)) as [Person, Person, Person];
  const bobChat = await chat(bob, gateway2Url);
  const { request } = await ann.rest.post<Asked>('/friends/requests', { targetUserId: bob.id });
  const temporal = kill('temporal');
  const idempotencyKey = uniqueName('key');
  const asked = await retryUntilAccepted(() =>
    carl.rest.post<Asked>('/friends/requests', { targetUserId: bob.id }, { idempotencyKey }),
  );
  // The pair's flow waits on its timer since before the kill; it takes the decision.
  const decided = await retryUntilAccepted(() =>
    bob.rest.put<Asked & { conversation: Conversation }>(`/friends/requests/${request.id}`, { action: 1 }),
  );
  assert.equal(decided.answer.conversation.type, 1);
  await bobChat.expect('friend-request', (data) => data.request.id === asked.answer.request.id);
  await bobChat.expect('friend-request-handled', (data) => data.request.id === request.id);
  await temporal.recovered();
  await bobChat.close();
});

async function timed(from: Chat, to: Chat, conversationId: string): Promise<number[]> {
  let rounds = 0;
  return chatUntil(() => rounds++ === 20, from, to, conversationId);
}

const seqsIn = (socket: Chat, conversationId: string): number[] =>
  socket
    .all('new-message')
    .filter((message) => message.conversationId === conversationId)
    .map(({ seqId }) => seqId);

const offline = (socket: Chat, person: Person) =>
  socket.all('online-status').filter(({ userId, status }) => userId === person.id && status === 'offline');

const median = (numbers: number[]): number =>
  numbers.toSorted((a, b) => a - b)[numbers.length >> 1] ?? Number.POSITIVE_INFINITY;

const summary = (numbers: number[]): string =>
  `${numbers.length} messages, median ${median(numbers)} ms, longest ${Math.max(...numbers)} ms`;
