import assert from 'node:assert/strict';
import { test } from 'node:test';
import { type Conversation, type FriendRequest, ProblemError } from '../../clients/sdk/rest.ts';
import { topics } from '../../lib/kafka/topics.ts';
import type { ConversationEvent, FriendEvent } from '../../lib/records/records.ts';
import { eventually } from '../support/eventually.ts';
import { mapConcurrently } from '../support/map-concurrently.ts';
import { createGuests, newGuests } from '../support/people/guests.ts';
import {
  type Chat,
  chat,
  gateway2Url,
  newPerson,
  type Person,
  uniqueName,
} from '../support/people/people.ts';
import { retryUntilAccepted } from '../support/people/retry-until-accepted.ts';
import { kill } from '../support/servers/outage.ts';
import { openSystemParts } from '../support/system-parts.ts';
import { recordsOf } from '../support/topic-records.ts';

const pairs = 16;
/** Requests made at once: only their acceptance is to be a crowd. */
const askedAtOnce = 4;
const groupSize = 1000;
/** The kill hits a moment of some milliseconds: it is tried until it does. */
const rounds = 8;

const parts = openSystemParts();

type Pair = { ann: Person; bob: Person; bobChat: Chat; request: FriendRequest };

async function newPairs(): Promise<Pair[]> {
  const guests = await newGuests(2 * pairs);
  return mapConcurrently(
    [...Array(pairs).keys()],
    async (index) => {
      const [ann, bob] = guests.slice(2 * index);
      assert.ok(ann && bob);
      const bobChat = await chat(bob, gateway2Url);
      const { answer } = await retryUntilAccepted(() =>
        ann.rest.post<{ request: FriendRequest }>('/friends/requests', { targetUserId: bob.id }),
      );
      const { request } = answer;
      return { ann, bob, bobChat, request };
    },
    askedAtOnce,
  );
}

/** Requests that were accepted, and of which no conversation has come. */
async function betweenSteps(accepted: readonly Pair[]): Promise<number> {
  const keys = accepted.map(({ ann, bob }) =>
    Number(ann.id) < Number(bob.id) ? `${ann.id}:${bob.id}` : `${bob.id}:${ann.id}`,
  );
  const rows = await parts.database.query(
    `SELECT r.id FROM friendship_requests r LEFT JOIN conversations c ON c.single_key = r.pair_key
      WHERE r.pair_key IN (?) AND r.status = 1 AND c.id IS NULL`,
    [keys],
  );
  return rows.length;
}

/** Accepts again after an answer of 503: the request may be accepted already. */
async function acceptInTheEnd({ bob, request }: Pair): Promise<void> {
  try {
    await retryUntilAccepted(() => bob.rest.put(`/friends/requests/${request.id}`, { action: 1 }));
  } catch (error) {
    if (!(error instanceof ProblemError) || error.code !== 'REQUEST_ALREADY_HANDLED') throw error;
  }
}

test('the worker dies between accepting a request and opening its conversation', {
  timeout: 240_000,
}, async () => {
  let hit = 0;
  for (let round = 0; hit === 0; round += 1) {
    assert.ok(round < rounds, `no kill in ${rounds} rounds came between the two steps`);
    const asked = await newPairs();
    const answers = asked.map(acceptInTheEnd);
    await eventually(async () => (await betweenSteps(asked)) > 0);
    const worker = kill('task');
    // What im-repo still had in hand is done by the time the next worker comes.
    await eventually(async () => {
      hit = await betweenSteps(asked);
      return worker.replaced();
    });
    await Promise.all(answers);
    await worker.recovered();
    for (const pair of asked) await assertFriendsOnce(pair);
    await assertOneEventEach(asked);
    await Promise.all(asked.map(({ bobChat }) => bobChat.close()));
  }
});

async function assertFriendsOnce({ ann, bob, bobChat, request }: Pair): Promise<void> {
  const handled = await bobChat.expect('friend-request-handled', (data) => data.request.id === request.id);
  const conversationIds = new Set<string>();
  for (const person of [ann, bob]) {
    const { friends } = await person.rest.get<{ friends: { conversationId: string }[] }>('/friends');
    assert.equal(friends.length, 1);
    for (const { conversationId } of friends) conversationIds.add(conversationId);
  }
  assert.deepEqual([...conversationIds], [handled.conversation.id]);
}

/** An event may come twice after a failure, but then it is the same one. */
async function assertOneEventEach(asked: readonly Pair[]): Promise<void> {
  const events = await recordsOf<FriendEvent>(topics.friendEvents);
  for (const { request } of asked) {
    const ids = events
      .filter((event) => event.type === 'friend.request.accepted' && event.request_id === request.id)
      .map(({ event_id }) => event_id);
    assert.equal(new Set(ids).size, 1, `events of request ${request.id}: ${ids}`);
  }
}

test('the worker dies while a group of 1,000 is being made', { timeout: 240_000 }, async () => {
  const owner = await newPerson('owner');
  const [member, outsider] = await newGuests(2);
  assert.ok(member && outsider);
  const [memberChat, outsiderChat] = await Promise.all([chat(member, gateway2Url), chat(outsider)]);
  const memberIds = [member.id, ...(await createGuests(parts.repo, groupSize - 2))];
  const halfMade = async () => {
    const [row] = await parts.database.query<{ members: number }>(
      `SELECT COUNT(*) AS members FROM conversations c JOIN conversation_members m ON m.conversation_id = c.id
        WHERE c.owner_id = ? AND c.status = 0 GROUP BY c.id`,
      [Number(owner.id)],
    );
    return row !== undefined && row.members < groupSize;
  };

  let hit = false;
  let made = 0;
  for (let round = 0; !hit; round += 1) {
    assert.ok(round < rounds, `no kill in ${rounds} rounds came while a group was half made`);
    const idempotencyKey = uniqueName('key');
    const create = () =>
      owner.rest.post<{ conversation: Conversation }>(
        '/conversations',
        { type: 2, name: 'a thousand', memberIds },
        { idempotencyKey },
      );
    const answer = retryUntilAccepted(create);
    await eventually(halfMade, 30_000);
    const worker = kill('task');
    await eventually(async () => {
      hit = await halfMade();
      return worker.replaced();
    });
    const { conversation } = (await answer).answer;
    made += 1;
    await worker.recovered();

    assert.equal(conversation.memberCount, groupSize);
    assert.deepEqual((await create()).conversation.id, conversation.id);
    const { conversations } = await owner.rest.get<{ conversations: Conversation[] }>('/conversations');
    assert.equal(conversations.filter(({ type }) => type === 2).length, made);
    await memberChat.expect('conversation-created', (data) => data.conversation.id === conversation.id);
    const created = (await recordsOf<ConversationEvent>(topics.conversationEvents)).filter(
      (event) => event.type === 'conversation.created' && event.conversation_id === conversation.id,
    );
    assert.equal(new Set(created.map(({ event_id }) => event_id)).size, 1);
    const [rows] = await parts.database.query<{ members: number }>(
      'SELECT COUNT(*) AS members FROM conversation_members WHERE conversation_id = ?',
      [Number(conversation.id)],
    );
    assert.equal(rows?.members, groupSize);
  }
  await outsiderChat.settled();
  assert.deepEqual(outsiderChat.all('conversation-created'), []);
  await Promise.all([memberChat.close(), outsiderChat.close()]);
});
