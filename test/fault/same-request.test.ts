import assert from 'node:assert/strict';
import { test } from 'node:test';
import {
  type Conversation,
  createRest,
  type FriendRequest,
  type Message,
  ProblemError,
} from '../../clients/sdk/rest.ts';
import { topics } from '../../lib/kafka/topics.ts';
import type { FriendEvent } from '../../lib/records/records.ts';
import { newGuests } from '../support/people/guests.ts';
import { befriend, chat, gateway2Url, newPerson, type Person, uniqueName } from '../support/people/people.ts';
import { retryUntilAccepted } from '../support/people/retry-until-accepted.ts';
import { openSystemParts } from '../support/system-parts.ts';
import { recordsOf } from '../support/topic-records.ts';

const times = 20;

const parts = openSystemParts();

/** The same call twenty times at once, half of them through the other gateway; calls answered with 503 are repeated. */
function atOnce<T>(person: Person, call: (rest: Person['rest']) => Promise<T>) {
  const onOther = createRest(gateway2Url, person.accessToken);
  return Promise.allSettled(
    Array.from({ length: times }, async (_, index) => {
      const { answer } = await retryUntilAccepted(() => call(index % 2 === 0 ? person.rest : onOther));
      return answer;
    }),
  );
}

const successes = <T>(results: PromiseSettledResult<T>[]): T[] =>
  results.flatMap((result) => (result.status === 'fulfilled' ? [result.value] : []));

const refusals = (results: PromiseSettledResult<unknown>[]): string[] =>
  results.flatMap((result) => {
    if (result.status === 'fulfilled') return [];
    return [result.reason instanceof ProblemError ? result.reason.code : String(result.reason)];
  });

type Asked = { request: FriendRequest };
type Accepted = Asked & { conversation?: Conversation };
type Opened = { conversation: Conversation };

for (const key of [undefined, 'the-same-key']) {
  test(`twenty friend requests at once ${key ? 'under one key' : 'without a key'} are one`, async () => {
    const [ann, bob] = await twoGuests();
    const bobChat = await chat(bob, gateway2Url);
    const results = await atOnce(ann, (rest) =>
      rest.post<Asked>('/friends/requests', { targetUserId: bob.id }, key ? { idempotencyKey: key } : {}),
    );
    assert.deepEqual(refusals(results), []);
    assert.equal(new Set(successes(results).map(({ request }) => request.id)).size, 1);
    const { requests } = await bob.rest.get<{ requests: FriendRequest[] }>(
      '/friends/requests?direction=incoming',
    );
    assert.equal(requests.length, 1);
    await bobChat.expect('friend-request');
    await bobChat.settled();
    assert.equal(bobChat.all('friend-request').length, 1);
    await bobChat.close();
  });
}

test('twenty concurrent acceptances create one friendship and one conversation, announced once', async () => {
  const [ann, bob] = await twoGuests();
  const [annChat, bobChat] = await Promise.all([chat(ann), chat(bob, gateway2Url)]);
  const { request } = await ann.rest.post<Asked>('/friends/requests', { targetUserId: bob.id });
  const results = await atOnce(bob, (rest) =>
    rest.put<Accepted>(`/friends/requests/${request.id}`, { action: 1 }),
  );

  const accepted = successes(results);
  assert.ok(accepted.length > 0);
  assert.equal(new Set(accepted.map(({ conversation }) => conversation?.id)).size, 1);
  assert.deepEqual(
    refusals(results).filter((code) => code !== 'REQUEST_ALREADY_HANDLED'),
    [],
  );
  for (const person of [ann, bob]) {
    const { friends } = await person.rest.get<{ friends: { conversationId: string }[] }>('/friends');
    assert.deepEqual(
      friends.map(({ conversationId }) => conversationId),
      [accepted[0]?.conversation?.id],
    );
  }
  for (const socket of [annChat, bobChat]) {
    await Promise.all([socket.expect('friend-request-handled'), socket.expect('conversation-created')]);
    await socket.settled();
    assert.equal(socket.all('friend-request-handled').length, 1);
    assert.equal(socket.all('conversation-created').length, 1);
  }
  const events = (await recordsOf<FriendEvent>(topics.friendEvents)).filter(
    (event) => 'request_id' in event && event.request_id === request.id,
  );
  assert.deepEqual(
    new Set(events.map(({ type }) => type)),
    new Set(['friend.request.created', 'friend.request.accepted']),
  );
  assert.equal(new Set(events.map(({ event_id }) => event_id)).size, 2);
  await Promise.all([annChat.close(), bobChat.close()]);
});

test('both ask twenty times at once: one friendship', async () => {
  const [ann, bob] = await twoGuests();
  const ask = (from: Person, to: Person) =>
    atOnce(from, (rest) => rest.post<Asked>('/friends/requests', { targetUserId: to.id }));
  const results = (await Promise.all([ask(ann, bob), ask(bob, ann)])).flat();
  assert.deepEqual(
    refusals(results).filter((code) => code !== 'ALREADY_FRIENDS'),
    [],
  );
  assert.equal(new Set(successes(results).map(({ request }) => request.id)).size, 1);
  const rows = await parts.database.query<{ friend_id: number }>(
    'SELECT friend_id FROM friendships WHERE user_id = ?',
    [Number(ann.id)],
  );
  assert.deepEqual(rows, [{ friend_id: Number(bob.id) }]);
});

test('twenty groups at once under one key are one', async () => {
  const [owner, members] = await Promise.all([newPerson('owner'), newGuests(3)]);
  const memberChats = await Promise.all(members.map((member) => chat(member)));
  const idempotencyKey = uniqueName('key');
  const results = await atOnce(owner, (rest) =>
    rest.post<Opened>(
      '/conversations',
      { type: 2, name: 'one group', memberIds: members.map(({ id }) => id) },
      { idempotencyKey },
    ),
  );
  assert.deepEqual(refusals(results), []);
  assert.equal(new Set(successes(results).map(({ conversation }) => conversation.id)).size, 1);
  const rows = await parts.database.query('SELECT id FROM conversations WHERE owner_id = ?', [
    Number(owner.id),
  ]);
  assert.equal(rows.length, 1);
  for (const socket of memberChats) {
    await socket.expect('conversation-created');
    await socket.settled();
    assert.equal(socket.all('conversation-created').length, 1);
    await socket.close();
  }
});

test('twenty sends at once of one message are one message', async () => {
  const [ann, bob] = await twoGuests();
  const conversationId = await befriend(ann, bob);
  const bobChat = await chat(bob);
  const results = await atOnce(ann, (rest) =>
    rest.post<{ message: Message }>(`/conversations/${conversationId}/messages`, {
      clientMsgId: 'one',
      content: 'once',
    }),
  );
  assert.deepEqual(refusals(results), []);
  assert.deepEqual(new Set(successes(results).map(({ message }) => message.seqId)), new Set([1]));
  await bobChat.expect('new-message');
  await bobChat.settled();
  assert.equal(bobChat.all('new-message').length, 1);
  await bobChat.close();
});

async function twoGuests(): Promise<[Person, Person]> {
  const [one, other] = await newGuests(2);
  assert.ok(one && other);
  return [one, other];
}
