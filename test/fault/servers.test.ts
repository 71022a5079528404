import assert from 'node:assert/strict';
import { test } from 'node:test';
import { type Conversation, type FriendRequest, ProblemError } from '../../clients/sdk/rest.ts';
import { topics } from '../../lib/kafka/topics.ts';
import type { ConversationEvent, FriendEvent } from '../../lib/records/records.ts';
import { eventually } from '../support/eventually.ts';
import { newGuests } from '../support/people/guests.ts';
import {
  befriend,
  chat,
  gateway2Url,
  newPerson,
  type Person,
  uniqueName,
  wholeHistory,
} from '../support/people/people.ts';
import { createReconnectingClient } from '../support/people/reconnecting-client.ts';
import { retryUntilAccepted } from '../support/people/retry-until-accepted.ts';
import { kill } from '../support/servers/outage.ts';
import { recordsOf } from '../support/topic-records.ts';

const pairs = 12;
const groups = 4;
const messages = 120;
const killAt = 30;

type Asked = { request: FriendRequest };
type Opened = { conversation: Conversation };

for (const server of ['repo', 'kafka', 'database']) {
  test(`${server} is killed under sends, friend requests and new groups`, { timeout: 240_000 }, async (t) => {
    const [owner, guests, members] = await Promise.all([
      newPerson('owner'),
      newGuests(2 * pairs),
      newGuests(3),
    ]);
    const [ann, bob] = guests as [Person, Person];
    const conversationId = await befriend(ann, bob);
    const others = Array.from(
      { length: pairs - 1 },
      (_, index) => guests.slice(2 * index + 2) as [Person, Person],
    );
    const sockets = await Promise.all(
      [...others.map(([, target]) => target), ...members].map((person) => chat(person, gateway2Url)),
    );
    const memberSockets = sockets.slice(others.length);
    const [annClient, bobClient] = await Promise.all([
      createReconnectingClient(ann),
      createReconnectingClient(bob, gateway2Url),
    ]);

    let victim: ReturnType<typeof kill> | undefined;
    const sends = (async () => {
      for (let n = 0; n < messages; n += 1) {
        const sent = annClient.say(conversationId, `${server}-${n}`, `${server} ${n}`);
        if (n === killAt) victim = kill(server);
        await sent;
      }
    })();
    sends.catch(() => undefined);
    await eventually(() => victim !== undefined, 30_000);
    const from = performance.now();

    const friends = others.map(async ([asker, target]) => {
      const idempotencyKey = uniqueName('key');
      const asked = await retryUntilAccepted(() =>
        asker.rest.post<Asked>('/friends/requests', { targetUserId: target.id }, { idempotencyKey }),
      );
      await acceptInTheEnd(target, asked.answer.request);
      return { asker, target, request: asked.answer.request };
    });
    const made = Array.from({ length: groups }, async (_, index) => {
      const idempotencyKey = uniqueName('key');
      const body = { type: 2, name: `group ${index}`, memberIds: members.map(({ id }) => id) };
      const { answer } = await retryUntilAccepted(() =>
        owner.rest.post<Opened>('/conversations', body, { idempotencyKey }),
      );
      return answer.conversation;
    });
    const friendships = await Promise.all(friends);
    const conversations = await Promise.all(made);
    await sends;
    t.diagnostic(`everything was answered ${Math.round(performance.now() - from)} ms after the kill`);
    await victim?.recovered();

    const history = await wholeHistory(bob, conversationId);
    assert.deepEqual(
      history.map(({ seqId, content }) => [seqId, content]),
      Array.from({ length: messages }, (_, n) => [n + 1, `${server} ${n}`]),
    );
    await eventually(() => bobClient.received.size === messages, 30_000);

    const friendEvents = await eventsWhen<FriendEvent>(topics.friendEvents, (events) =>
      friendships.every(({ request }) => events.some((event) => isAbout(event, request, 'accepted'))),
    );
    for (const [index, { asker, target, request }] of friendships.entries()) {
      for (const person of [asker, target]) {
        const { friends: list } = await person.rest.get<{ friends: { conversationId: string }[] }>(
          '/friends',
        );
        assert.equal(list.length, 1);
      }
      for (const what of ['created', 'accepted'] as const) {
        const ids = friendEvents
          .filter((event) => isAbout(event, request, what))
          .map(({ event_id }) => event_id);
        assert.equal(new Set(ids).size, 1, `friend.request.${what} of ${request.id}: ${ids}`);
      }
      await sockets[index]?.expect('friend-request', (data) => data.request.id === request.id);
      await sockets[index]?.expect('friend-request-handled', (data) => data.request.id === request.id);
    }

    const { conversations: mine } = await owner.rest.get<{ conversations: Conversation[] }>('/conversations');
    assert.deepEqual(
      mine
        .filter(({ type }) => type === 2)
        .map(({ id }) => id)
        .toSorted(),
      conversations.map(({ id }) => id).toSorted(),
    );
    const conversationEvents = await recordsOf<ConversationEvent>(topics.conversationEvents);
    for (const { id, memberCount } of conversations) {
      assert.equal(memberCount, members.length + 1);
      const ids = conversationEvents
        .filter((event) => event.type === 'conversation.created' && event.conversation_id === id)
        .map(({ event_id }) => event_id);
      assert.equal(new Set(ids).size, 1);
      for (const socket of memberSockets) {
        await socket.expect('conversation-created', (data) => data.conversation.id === id);
      }
    }
    await Promise.all([annClient, bobClient, ...sockets].map((socket) => socket.close()));
  });
}

const isAbout = (event: FriendEvent, request: FriendRequest, what: 'created' | 'accepted'): boolean =>
  'request_id' in event && event.type === `friend.request.${what}` && event.request_id === request.id;

async function eventsWhen<T>(topic: string, enough: (events: T[]) => boolean): Promise<T[]> {
  let events: T[] = [];
  await eventually(async () => {
    events = await recordsOf<T>(topic);
    return enough(events);
  }, 60_000);
  return events;
}

/** A call answered with 503 may have been executed; a repeat then says so. */
async function acceptInTheEnd(target: Person, { id }: FriendRequest): Promise<void> {
  try {
    await retryUntilAccepted(() => target.rest.put(`/friends/requests/${id}`, { action: 1 }));
  } catch (error) {
    if (!(error instanceof ProblemError) || error.code !== 'REQUEST_ALREADY_HANDLED') throw error;
  }
}
