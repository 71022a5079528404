import assert from 'node:assert/strict';
import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { test } from 'node:test';
import { type Client, createClient, type Message, type Sent, type Storage } from '@gochat/sdk';
import { fileStorage } from '@gochat/sdk/file';
import { memoryStorage } from '@gochat/sdk/memory';
import { openDoor } from '../../scripts/testing/doors/door.ts';
import { eventually } from '../support/eventually.ts';
import { pause } from '../support/pause.ts';
import {
  befriend,
  gatewayUrl,
  newGroup,
  newPeople,
  type Person,
  password,
  wholeHistory,
} from '../support/people/people.ts';
import { badSocket } from '../support/sdk/bad-socket.ts';
import { freePort } from '../support/servers/free-port.ts';
import { createRandom } from '../support/storm/records/random.ts';

const badMs = 12_000;
const seed = Number(process.env.SDK_SEED ?? 1 + (Date.now() % 100_000));

/** A person with a client behind a bad network, which is restarted with its storage now and then. */
function createTalker(person: Person, storage: Storage, url: string, isBad: () => boolean) {
  const told = new Map<string, number[]>();
  const log: string[] = [];
  let run = 0;
  const sends: { text: string; conversationId: string; sent: Sent }[] = [];
  let client = start();

  function start(): Client {
    const one = createClient({
      url,
      credentials: { username: person.user.username, password },
      storage,
      webSocket: badSocket(seed + told.size, isBad),
    });
    run += 1;
    const mine = run;
    log.push(`start ${mine}`);
    one.on('connection', ({ state }) => log.push(`${state} ${mine}`));
    one.on('message', ({ conversationId, seqId, sender }) => {
      log.push(`${conversationId.slice(-4)}:${seqId} ${sender.id === person.id ? 'own' : ''}@${mine}`);
      told.set(conversationId, [...(told.get(conversationId) ?? []), seqId]);
    });
    one.connect().catch(() => {});
    return one;
  }

  return {
    person,
    told,
    log,
    sends,
    client: () => client,
    async restart() {
      await client.disconnect();
      client = start();
    },
    async send(conversationId: string) {
      const text = `${person.user.username} ${sends.length}`;
      const sent = client.conversation(conversationId).send({ text });
      sends.push({ text, conversationId, sent });
      await sent.saved;
    },
  };
}

const numbers = (messages: readonly Pick<Message, 'seqId'>[]) => messages.map(({ seqId }) => seqId);
const inOrder = (seqIds: readonly number[]) => [...new Set(seqIds)].sort((a, b) => a - b);

test('through a network that cuts, freezes, delays, repeats and reorders, nothing is lost and nothing comes twice', async (t) => {
  t.diagnostic(`SDK_SEED=${seed}`);
  const random = createRandom(seed);
  const folder = mkdtempSync(join(tmpdir(), 'gochat-bad-'));
  const port = await freePort();
  const door = await openDoor({ port, target: Number(new URL(gatewayUrl).port) });
  const url = `http://127.0.0.1:${port}`;
  const people = await newPeople(4);
  const [ann, bob, cid] = people as [Person, Person, Person];
  const rooms = [
    await befriend(ann, bob),
    await newGroup(ann, people.slice(1)),
    await newGroup(bob, [ann, cid]),
  ];
  let isBad = true;
  const talkers = people.map((person, n) =>
    createTalker(
      person,
      n % 2 === 0 ? fileStorage(join(folder, person.id)) : memoryStorage(),
      url,
      () => isBad,
    ),
  );
  t.after(async () => {
    await Promise.all(talkers.map(({ client }) => client().disconnect()));
    await door.close();
    rmSync(folder, { recursive: true });
  });
  await eventually(() => talkers.every(({ client }) => client().connection.get().state === 'online'));

  const until = Date.now() + badMs;
  const talk = async (talker: (typeof talkers)[number]) => {
    while (Date.now() < until) {
      const mine = rooms.filter((id) => talker.client().conversation(id).get().conversation);
      if (mine.length > 0) await talker.send(random.pick(mine));
      if (random.next() < 0.1 && mine.length > 0) talker.client().conversation(random.pick(mine)).markRead();
      if (random.next() < 0.02) await talker.restart();
      await pause(random.between(20, 150));
    }
  };
  const trouble = async () => {
    while (Date.now() < until) {
      door.set(
        random.pick([
          { is: 'shut' },
          { is: 'silent' },
          { is: 'slow', delayMs: 120 },
          { is: 'open' },
        ] as const),
      );
      await pause(random.between(100, 900));
      door.set({ is: 'open' });
      await pause(random.between(300, 1200));
    }
  };
  await Promise.all([trouble(), ...talkers.map(talk)]);
  isBad = false;
  door.set({ is: 'open' });

  const atRest = () =>
    talkers.every(({ client }) => {
      const { state } = client().connection.get();
      const waiting = rooms.some((id) =>
        client()
          .conversation(id)
          .get()
          .messages.some(({ status }) => status),
      );
      return state === 'online' && !waiting;
    });
  await eventually(atRest, 60_000, 100);
  for (const conversationId of rooms) {
    const members = talkers.filter(({ client }) => client().conversation(conversationId).get().conversation);
    const history = await wholeHistory((members[0] ?? assert.fail('nobody is there')).person, conversationId);
    const ownTexts = (id: string) =>
      history.filter(({ sender }) => sender.id === id).map(({ content }) => content);
    for (const { client, told, sends, person, log } of members) {
      const room = client().conversation(conversationId);
      await eventually(() => room.get().messages.at(-1)?.seqId === history.at(-1)?.seqId);
      const { messages, conversation } = room.get();
      assert.deepEqual(
        messages,
        history.slice(-messages.length),
        'what the client shows is what the server has',
      );
      const { conversation: stored } = await person.rest.get<{ conversation: typeof conversation }>(
        `/conversations/${conversationId}`,
      );
      await eventually(() => room.get().conversation?.unreadCount === stored?.unreadCount);
      const here = sends.filter((one) => one.conversationId === conversationId).map(({ text }) => text);
      assert.deepEqual(ownTexts(person.id), here, 'each send is stored once, in the order of sending');
      const others = history.filter(({ sender }) => sender.id !== person.id);
      const seqIds = told.get(conversationId) ?? [];
      if (String(seqIds) !== String(inOrder(seqIds))) console.log(conversationId, log.join(' '));
      assert.deepEqual(seqIds, inOrder(seqIds), 'told once and in order');
      assert.deepEqual(seqIds, numbers(others), 'nothing that others wrote is missing');
    }
  }
});
