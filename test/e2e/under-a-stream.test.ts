import assert from 'node:assert/strict';
import { test } from 'node:test';
import type { Message } from '../../clients/sdk/rest.ts';
import { eventually } from '../support/eventually.ts';
import { createGuests, newGuests } from '../support/people/guests.ts';
import { streamMessages } from '../support/people/message-stream.ts';
import {
  type Chat,
  chat,
  type Data,
  gateway2Url,
  gatewayUrl,
  newGroup,
  newPerson,
  type Person,
  refused,
} from '../support/people/people.ts';
import { openSystemParts } from '../support/system-parts.ts';

const parts = openSystemParts();

const upTo = (count: number, from = 1) => Array.from({ length: count - from + 1 }, (_, n) => n + from);
const closeAll = (sockets: readonly Chat[]) => Promise.all(sockets.map((socket) => socket.close()));

/** The seq ids that a session has of a conversation, in the order of arrival: messages, and its own acknowledged ones. */
const seqsOf = (socket: Chat, conversationId: string): number[] =>
  socket.frames
    .filter(
      ({ type, data }) =>
        (type === 'new-message' || type === 'message-ack') && data?.conversationId === conversationId,
    )
    .map(({ data }) => Number(data?.seqId));

const received = (socket: Chat, conversationId: string): number[] =>
  socket
    .all('new-message')
    .filter((message: Message) => message.conversationId === conversationId)
    .map(({ seqId }: Message) => seqId);

test('a client that connects during a stream of messages and syncs after welcome misses nothing', async (t) => {
  const [owner, [bob]] = [await newPerson('owner'), (await newGuests(1)) as [Person]];
  const id = await newGroup(owner, [bob]);
  const senders = await Promise.all([chat(owner), chat(owner, gateway2Url), chat(owner)]);
  t.after(() => closeAll(senders));
  const talk = streamMessages(senders, id);
  await talk.more(5);
  let cursor = 0;
  for (let round = 0; round < 10; round += 1) {
    const socket = await chat(bob, round % 2 === 0 ? gatewayUrl : gateway2Url);
    const { conversations } = await bob.rest.post<Data>('/sync', { cursors: { [id]: cursor } });
    const synced: number[] = conversations.flatMap((entry: Data) =>
      entry.messages.map(({ seqId }: Message) => seqId),
    );
    const last = synced.at(-1) ?? cursor;
    await socket.expect('new-message', ({ seqId }) => seqId > last + 1);
    await socket.close();
    const live = received(socket, id);
    assert.deepEqual(
      live,
      live.toSorted((a, b) => a - b),
    );
    const held = [...new Set([...synced, ...live])].toSorted((a, b) => a - b);
    assert.deepEqual(held, upTo(held.at(-1) ?? 0, cursor + 1), `round ${round}`);
    cursor = held.at(-1) ?? cursor;
  }
  await talk.stop();
});

test('a member removed from a busy group has all messages from before, the removal, and nothing after it', async (t) => {
  const [owner, [bob, cy]] = [await newPerson('owner'), (await newGuests(2)) as [Person, Person]];
  const id = await newGroup(owner, [bob, cy]);
  const senders = await Promise.all([chat(owner), chat(bob, gateway2Url)]);
  const [cyHere, cyThere, ownerToo] = await Promise.all([chat(cy), chat(cy, gateway2Url), chat(owner)]);
  t.after(() => closeAll([...senders, cyHere, cyThere, ownerToo]));
  const talk = streamMessages(senders, id);
  const ofCy = streamMessages([cyHere], id);
  await Promise.all([talk.more(20), ofCy.more(5)]);
  await owner.rest.delete(`/conversations/${id}/members/${cy.id}`);
  await talk.more(30);
  const all = await talk.stop();
  await assert.rejects(ofCy.stop(), { message: 'NOT_CONVERSATION_MEMBER' });
  const head = Math.max(...all);
  await ownerToo.expect('new-message', ({ seqId }) => seqId === head);
  const sockets = [cyHere, cyThere];
  await Promise.all(sockets.map((socket) => socket.expect('member-removed')));
  await Promise.all(sockets.map((socket) => socket.settled()));

  const held = sockets.map((socket) => seqsOf(socket, id));
  const last = held[0]?.at(-1) ?? 0;
  assert.ok(last >= 25 && last < head);
  for (const seqs of held) assert.deepEqual(seqs, upTo(last));
  for (const socket of sockets) {
    const types = socket.frames.map(({ type }) => type).filter((type) => type !== 'pong' && type !== 'error');
    assert.equal(types.at(-1), 'member-removed');
    assert.equal(types.filter((type) => type === 'member-removed').length, 1);
  }
  assert.deepEqual(received(ownerToo, id), upTo(head));
  await refused(cy.rest.messagesAfter(id, 0), 403, 'NOT_CONVERSATION_MEMBER');
});

test('a busy group that grows beyond 500 members and shrinks again loses no message and keeps their order', {
  timeout: 120_000,
}, async (t) => {
  const [owner, guests] = [
    await newPerson('owner'),
    (await newGuests(4)) as [Person, Person, Person, Person],
  ];
  const [bob, cy, dora, eve] = guests;
  const absent = await createGuests(parts.repo, 496);
  // Members without sessions, who only count.
  const { conversation } = await owner.rest.post<Data>('/conversations', {
    type: 2,
    name: 'around five hundred',
    memberIds: [bob.id, cy.id, dora.id, ...absent],
  });
  const id: string = conversation.id;
  assert.equal(conversation.memberCount, 500);
  const fanout = async () => {
    const { progress } = await parts.repo.conversations.getFanoutProgress({ conversationIds: [id] });
    return progress[0];
  };
  const caughtUp = async () => {
    const state = await fanout();
    return state?.fanoutDoneSeq === state?.lastSeqId;
  };
  const senders = await Promise.all([chat(owner), chat(bob, gateway2Url)]);
  const [cyChat, doraChat, eveChat] = await Promise.all([chat(cy), chat(dora, gateway2Url), chat(eve)]);
  t.after(() => closeAll([...senders, cyChat, doraChat, eveChat]));

  for (let turn = 0; turn < 2; turn += 1) {
    const talk = streamMessages(senders, id);
    await talk.more(10);
    assert.equal((await fanout())?.fanoutMode, false, 'with 500 members, messages are delivered directly');
    await owner.rest.post(`/conversations/${id}/members`, { userIds: [eve.id] });
    await talk.more(15);
    assert.equal((await fanout())?.fanoutMode, true, 'with 501 members, the flow delivers them');
    // Down to 500 and up again before the fan-out can have caught up.
    await owner.rest.delete(`/conversations/${id}/members/${absent[turn]}`);
    await owner.rest.post(`/conversations/${id}/members`, { userIds: [absent[turn]] });
    await owner.rest.delete(`/conversations/${id}/members/${eve.id}`);
    await talk.more(10);
    await talk.stop();
    // The mode ends with the first message that finds the fan-out at the head: in the next turn.
    await eventually(caughtUp);
  }
  const { seqId: head } = await (senders[0] as Chat).say(id, 'the last one');
  assert.equal((await fanout())?.fanoutMode, false);
  await Promise.all(
    [cyChat, doraChat].map((socket) => socket.expect('new-message', (m) => m.seqId === head)),
  );
  for (const socket of [cyChat, doraChat]) assert.deepEqual(received(socket, id), upTo(head));
  for (const socket of senders) {
    const own = seqsOf(socket, id);
    assert.deepEqual(
      own.toSorted((a, b) => a - b),
      upTo(head),
    );
  }
  // She joined and was removed twice: her messages are in order, without duplicates.
  const ofEve = received(eveChat, id);
  assert.deepEqual(
    ofEve,
    [...new Set(ofEve)].toSorted((a, b) => a - b),
  );
  assert.ok((ofEve[0] ?? 0) > 10 && ofEve.length >= 30 && ofEve.length < head - 20, String(ofEve));
  const removals = eveChat.all('member-removed').filter(({ userIds }) => userIds.includes(eve.id));
  assert.equal(removals.length, 2);
});
