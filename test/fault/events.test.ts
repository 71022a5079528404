import assert from 'node:assert/strict';
import { test } from 'node:test';
import type { Conversation, FriendRequest } from '../../clients/sdk/rest.ts';
import { topics } from '../../lib/kafka/topics.ts';
import type { DomainEvent } from '../../lib/records/records.ts';
import { eventually } from '../support/eventually.ts';
import { metricOf } from '../support/metric.ts';
import { newGuests } from '../support/people/guests.ts';
import {
  befriend,
  type Chat,
  chat,
  gateway2Url,
  newGroup,
  newPerson,
  type Person,
} from '../support/people/people.ts';
import { freeze, kill, whileFrozen } from '../support/servers/outage.ts';
import { openSystemParts } from '../support/system-parts.ts';
import { recordsOf } from '../support/topic-records.ts';

const askers = 10;
const longestMs = 60_000;

const parts = openSystemParts();

type Asked = { request: FriendRequest };

const ask = (from: Person, to: Person) =>
  from.rest.post<Asked>('/friends/requests', { targetUserId: to.id }).then(({ request }) => request);

const gotRequest = (socket: Chat, { id }: FriendRequest): number =>
  socket.all('friend-request').filter(({ request }) => request.id === id).length;

/** The ids of a fact's event, as often as Kafka has it. */
async function eventIds(topic: string, fits: (event: DomainEvent) => boolean): Promise<string[]> {
  return (await recordsOf<DomainEvent>(topic)).filter(fits).map(({ event_id }) => event_id);
}

/** How often the first gateway could not pass a push on. */
const failed = () => metricOf('gateway-1', 'gochat_gateway_push_forwards_total', 'result="failed"');

const isCreated = (request: FriendRequest) => (event: DomainEvent) =>
  event.type === 'friend.request.created' && event.request_id === request.id;

test('repo dies between the commit and the relay: nothing is lost', { timeout: 180_000 }, async () => {
  const [target, stranger, ...people] = (await newGuests(askers + 2)) as [Person, Person, ...Person[]];
  const sockets = await Promise.all([chat(target), chat(target, gateway2Url)]);
  const strangerSocket = await chat(stranger, gateway2Url);
  let repo: ReturnType<typeof kill> | undefined;
  const requests = await whileFrozen(['kafka'], async () => {
    // Answered, so committed; and no broker has taken the events.
    const answered = await Promise.all(people.map((person) => ask(person, target)));
    const [row] = await parts.database.query<{ waiting: number }>('SELECT COUNT(*) AS waiting FROM outbox');
    assert.ok(Number(row?.waiting) >= askers, `${row?.waiting} events wait`);
    repo = kill('repo');
    return answered;
  });
  for (const request of requests) {
    for (const socket of sockets) await eventually(() => gotRequest(socket, request) > 0, longestMs);
    const ids = await eventIds(topics.friendEvents, isCreated(request));
    assert.equal(new Set(ids).size, 1, `event ids of request ${request.id}: ${ids}`);
  }
  await repo?.recovered();
  await strangerSocket.settled();
  assert.deepEqual(strangerSocket.all('friend-request'), []);
  await Promise.all([...sockets, strangerSocket].map((socket) => socket.close()));
});

test('pusher dies between reading an event and its push: the event arrives', {
  timeout: 180_000,
}, async () => {
  const [asker, target] = (await newGuests(2)) as [Person, Person];
  const first = await chat(target);
  const second = await chat(target, gateway2Url);
  const failures = await failed();
  let pusher: ReturnType<typeof kill> | undefined;
  const request = await whileFrozen(['gateway-2'], async () => {
    const made = await ask(asker, target);
    // The other gateway could not pass it on: so pusher has it, and is not rid of it.
    await eventually(async () => (await failed()) > failures, longestMs);
    pusher = kill('pusher');
    return made;
  });
  for (const socket of [first, second]) await eventually(() => gotRequest(socket, request) > 0, longestMs);
  await pusher?.recovered();
  for (const socket of [first, second]) await socket.settled();
  assert.deepEqual([gotRequest(first, request), gotRequest(second, request)], [1, 1]);
  await Promise.all([first.close(), second.close()]);
});

test('a gateway dies between the forward and the write: clients that reconnect get the event', {
  timeout: 180_000,
}, async () => {
  const [asker, target] = (await newGuests(2)) as [Person, Person];
  const socket = await chat(target, gateway2Url);
  const failures = await failed();
  freeze('gateway-2');
  const request = await ask(asker, target);
  await eventually(async () => (await failed()) > failures, longestMs);
  const gateway = kill('gateway-2');
  await socket.closed;
  assert.equal(gotRequest(socket, request), 0);
  const again = await chat(target);
  await eventually(() => gotRequest(again, request) > 0, longestMs);
  await gateway.recovered();
  await again.settled();
  assert.equal(gotRequest(again, request), 1);
  await again.close();
});

for (const victim of ['pusher', 'repo', 'logic', 'gateway-2']) {
  test(`exactly the right sockets get each event while ${victim} dies`, { timeout: 180_000 }, async () => {
    const owner = await newPerson('owner');
    const [friend, member, stranger] = (await newGuests(3)) as [Person, Person, Person];
    await befriend(owner, friend);
    const socketsOf = async (person: Person) => {
      const sockets = await Promise.all([chat(person), chat(person, gateway2Url)]);
      // Those that die with their gateway are another test's.
      return victim === 'gateway-2' ? sockets.slice(0, 1) : sockets;
    };
    const [ofOwner, ofFriend, ofMember, ofStranger] = await Promise.all(
      [owner, friend, member, stranger].map(socketsOf),
    );
    assert.ok(ofOwner && ofFriend && ofMember && ofStranger);

    const request = await ask(member, owner);
    const { conversation: single } = await owner.rest.put<{ conversation: Conversation }>(
      `/friends/requests/${request.id}`,
      { action: 1 },
    );
    const group = await newGroup(owner, [friend, member]);
    await owner.rest.delete(`/conversations/${group}/members/${friend.id}`);
    await owner.rest.patch(`/conversations/${group}`, { name: 'without the friend' });
    const dead = kill(victim);

    const about = (id: string) => (data: { conversation?: Conversation; conversationId?: string }) =>
      (data.conversation?.id ?? data.conversationId) === id;
    const expected: [string, Chat[], (data: never) => boolean][] = [
      ['friend-request', ofOwner, ({ request: { id } }: Asked) => id === request.id],
      [
        'friend-request-handled',
        [...ofOwner, ...ofMember],
        ({ request: { id } }: Asked) => id === request.id,
      ],
      ['conversation-created', [...ofOwner, ...ofMember], about(single.id)],
      ['conversation-created', [...ofOwner, ...ofFriend, ...ofMember], about(group)],
      ['member-removed', [...ofOwner, ...ofFriend, ...ofMember], about(group)],
      ['conversation-updated', [...ofOwner, ...ofMember], about(group)],
    ];
    const everyone = [...ofOwner, ...ofFriend, ...ofMember, ...ofStranger];
    for (const [type, sockets, fits] of expected) {
      for (const socket of sockets) {
        const came = () => socket.all(type).some(fits as (data: unknown) => boolean);
        await eventually(came, longestMs).catch(() =>
          assert.fail(`${type} did not come: ${framesOf(everyone)}`),
        );
      }
    }
    await dead.recovered();
    for (const socket of everyone) await socket.settled();
    for (const [type, sockets, fits] of expected) {
      for (const socket of everyone) {
        const count = socket.all(type).filter(fits as (data: unknown) => boolean).length;
        // After a failure an event may come twice.
        assert.ok(sockets.includes(socket) ? count > 0 : count === 0, `${type} came ${count} times`);
      }
    }
    await Promise.all(everyone.map((socket) => socket.close()));
  });
}

const framesOf = (sockets: Chat[]): string =>
  JSON.stringify(sockets.map(({ frames }) => frames.map(({ type }) => type)));
