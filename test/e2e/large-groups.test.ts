import assert from 'node:assert/strict';
import { before, test } from 'node:test';
import { createRest } from '../../clients/sdk/rest.ts';
import {
  type Chat,
  chat,
  gateway2Url,
  gatewayUrl,
  newPeople,
  type Person,
} from '../support/people/people.ts';

/** Above it, messages take the way of the fan-out flow. */
const directMembers = 500;

let guestIds: string[];
before(
  async () => {
    const rest = createRest(gatewayUrl);
    guestIds = [];
    while (guestIds.length < directMembers) {
      const guests = await Promise.all(
        Array.from({ length: 20 }, () => rest.post<{ user: { id: string } }>('/auth/guest', {})),
      );
      guestIds.push(...guests.map(({ user }) => user.id));
    }
  },
  { timeout: 5 * 60_000 },
);

async function newLargeGroup(owner: Person, member: Person): Promise<string> {
  const { conversation } = await owner.rest.post<{ conversation: { id: string; memberCount: number } }>(
    '/conversations',
    { type: 2, name: 'a crowd', memberIds: [member.id, ...guestIds] },
  );
  assert.ok(conversation.memberCount > directMembers);
  return conversation.id;
}

const seqsOf = (socket: Chat) => socket.all('new-message').map(({ seqId }) => seqId);
const upTo = (count: number) => Array.from({ length: count }, (_, index) => index + 1);

test('a message in a large group reaches every session except the sending one', async () => {
  const [ann, bob] = (await newPeople(2)) as [Person, Person];
  const conversationId = await newLargeGroup(ann, bob);
  const sockets = [await chat(ann), await chat(ann), await chat(ann, gateway2Url), await chat(bob)] as const;
  const [one, ...others] = sockets;
  for (const content of ['a', 'b', 'c']) await one.say(conversationId, content);
  const sentAtOnce = await Promise.all(['d', 'e', 'f'].map((content) => one.say(conversationId, content)));
  assert.deepEqual(
    sentAtOnce.map(({ seqId }) => seqId),
    [4, 5, 6],
  );
  const { message } = await ann.rest.post<{ message: { seqId: number } }>(
    `/conversations/${conversationId}/messages`,
    { clientMsgId: 'by-rest', content: 'g' },
  );
  assert.equal(message.seqId, 7);
  await Promise.all(sockets.map((socket) => socket.expect('new-message', ({ seqId }) => seqId === 7)));
  for (const other of others) assert.deepEqual(seqsOf(other), upTo(7));
  assert.deepEqual(seqsOf(one), [7]);
  await Promise.all(sockets.map((socket) => socket.close()));
});

test('a member removed from a busy large group gets nothing after member-removed', async () => {
  const [ann, bob] = (await newPeople(2)) as [Person, Person];
  const conversationId = await newLargeGroup(ann, bob);
  const [sender, annToo, toBob] = [await chat(ann), await chat(ann, gateway2Url), await chat(bob)];
  const sends = upTo(40).map((number) => sender.say(conversationId, `before ${number}`));
  // The first message of a conversation takes long: its flow has to start.
  await Promise.all([...sends, ann.rest.delete(`/conversations/${conversationId}/members/${bob.id}`)]);
  const { seqId: last } = await sender.say(conversationId, 'after');
  await annToo.expect('new-message', ({ seqId }) => seqId === last);
  await Promise.all([toBob.expect('member-removed'), annToo.expect('member-removed')]);
  await toBob.settled();
  const types = toBob.frames.map(({ type }) => type);
  assert.ok(types.lastIndexOf('new-message') < types.indexOf('member-removed'), types.join(' '));
  assert.deepEqual(seqsOf(annToo), upTo(last));

  await ann.rest.post(`/conversations/${conversationId}/members`, { userIds: [bob.id] });
  const { seqId: next } = await sender.say(conversationId, 'welcome back');
  await toBob.expect('new-message', ({ seqId }) => seqId === next);
  await Promise.all([sender, annToo, toBob].map((socket) => socket.close()));
});

test('a user added to a busy large group gets the event of the addition before the first message', async () => {
  const [owner, talker, ...newcomers] = (await newPeople(12)) as [Person, Person, ...Person[]];
  const conversationId = await newLargeGroup(owner, talker);
  const [talking, ...sockets] = await Promise.all([talker, ...newcomers].map((person) => chat(person)));
  let done = false;
  const talk = (async () => {
    while (!done) await talking?.say(conversationId, 'much talk');
  })();
  for (const { id } of newcomers) {
    await owner.rest.post(`/conversations/${conversationId}/members`, { userIds: [id] });
  }
  for (const socket of sockets) await socket.expect('new-message');
  done = true;
  await talk;
  for (const [at, socket] of sockets.entries()) {
    const first = socket.frames.find(({ data }) => data?.conversationId === conversationId);
    assert.equal(first?.type, 'member-added');
    assert.deepEqual(
      socket.all('member-added')[0]?.members.map((member: { id: string }) => member.id),
      [newcomers[at]?.id],
    );
    const seqIds = seqsOf(socket);
    assert.deepEqual(
      seqIds,
      seqIds.map((_, n) => seqIds[0] + n),
    );
  }
  await Promise.all([talking, ...sockets].map((socket) => socket?.close()));
});
