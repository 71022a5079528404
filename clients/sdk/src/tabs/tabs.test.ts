import assert from 'node:assert/strict';
import { test } from 'node:test';
import { eventually } from '../../../../test/support/eventually.ts';
import { start } from '../../testing/client-scene.ts';
import { createPretendNetwork, type PretendNetwork } from '../../testing/pretend-network.ts';
import { createPretendTab } from '../../testing/pretend-tab.ts';
import type { SeatStorage } from '../engine/seat.ts';
import { memoryStorage } from '../storage/memory.ts';
import { createTabs } from './tabs.ts';

let names = 0;

/** Several tabs of one browser: they share storage, Web Locks and a channel, as Node has them, too. */
function browser() {
  const network = createPretendNetwork();
  network.server.create();
  names += 1;
  const name = `tabs ${names}`;
  const storage: SeatStorage = {
    ...memoryStorage(),
    createTabs: (deps) => createTabs(name, deps),
  };
  return { network, open: () => tab(network, storage) };
}

function tab(network: PretendNetwork, storage: SeatStorage) {
  const { client, told } = start(network, { storage });
  return { client, told, room: client.conversation('1') };
}

const contents = (room: ReturnType<typeof tab>['room']) =>
  room.get().messages.map(({ clientMsgId, status }) => [clientMsgId, status]);

test('tabs have one socket together, and each is told every message once', async () => {
  const { network, open } = browser();
  const one = open();
  await one.client.connect();
  network.server.otherSends(0, 'other');
  await eventually(() => one.told.length === 1);
  const two = open();
  await two.client.connect();
  assert.equal(network.sockets(), 1);
  assert.deepEqual(two.told, [], 'what was told before this tab was opened is history');
  assert.deepEqual(two.room.get().messages, one.room.get().messages);
  for (let n = 0; n < 3; n += 1) network.server.otherSends(0, 'other');
  await eventually(() => one.told.length === 4 && two.told.length === 3);
  assert.deepEqual(
    [one.told, two.told],
    [
      [1, 2, 3, 4],
      [2, 3, 4],
    ],
  );
  await Promise.all([one.client.disconnect(), two.client.disconnect()]);
});

test('what one tab sends, reads and drafts shows in all of them, and is nobody’s news', async () => {
  const { network, open } = browser();
  const one = open();
  await one.client.connect();
  const two = open();
  await two.client.connect();
  network.server.otherSends(0, 'other');
  await eventually(() => two.room.get().unreadCount === 1);
  two.room.markRead();
  await eventually(
    () => one.room.get().unreadCount === 0 && network.server.conversation('1')?.unreadCount === 0,
  );
  two.room.draft.set('half');
  await eventually(() => one.room.get().draft === 'half');
  const sent = two.room.send({ text: 'from the second tab' });
  assert.equal(two.room.get().messages.length, 2, 'shown at once');
  await sent.saved;
  assert.equal((await sent.stored).seqId, 2);
  await eventually(() => one.room.get().messages.length === 2);
  assert.deepEqual(contents(one.room), contents(two.room));
  assert.deepEqual([one.told, two.told], [[1], [1]]);
  assert.equal(network.server.messagesOf('1').length, 2);
  await two.client.users.search('x');
  await Promise.all([one.client.disconnect(), two.client.disconnect()]);
});

test('when the leading tab is closed another one takes over at once, and misses nothing', async () => {
  const { network, open } = browser();
  const one = open();
  await one.client.connect();
  const [two, three] = [open(), open()];
  await Promise.all([two.client.connect(), three.client.connect()]);
  network.server.otherSends(0, 'other');
  await eventually(() => three.told.length === 1);
  await one.client.disconnect();
  network.server.otherSends(0, 'other');
  const sent = three.room.send({ text: 'still here' });
  await eventually(() => two.told.length === 2 && three.told.length === 2, 3000);
  await sent.stored;
  assert.deepEqual(
    [two.told, three.told],
    [
      [1, 2],
      [1, 2],
    ],
  );
  assert.equal(network.sockets(), 2);
  assert.deepEqual(two.room.get().messages, three.room.get().messages);
  await Promise.all([two.client.disconnect(), three.client.disconnect()]);
});

test('a tab that signs out ends the session in all of them', async () => {
  const { open } = browser();
  const [one, two] = [open(), open()];
  await Promise.all([one.client.connect(), two.client.connect()]);
  await two.client.signOut({ wipe: true });
  await eventually(() => one.client.connection.get().state === 'ended');
  await eventually(() => two.client.connection.get().state === 'ended');
  assert.deepEqual([one.client.conversations.get(), two.client.conversations.get()], [[], []]);
});

test('a frozen leader is replaced within three seconds, and stays behind when it wakes up', async () => {
  const [frozen, other]: [string[], string[]] = [[], []];
  const first = createPretendTab('frozen', (what) => frozen.push(what));
  const channel = await withFreezableChannel(async () => first.start());
  await eventually(() => frozen.includes('leads'));
  const second = createPretendTab('frozen', (what) => other.push(what));
  await second.start();
  channel.freeze();
  await eventually(() => other.includes('leads'), 3000);
  channel.thaw();
  await eventually(() => frozen.includes('resigned'));
  // Whoever leads goes on leading: the one that woke up waits for its turn.
  await second.stop();
  await eventually(() => frozen.length === 3);
  assert.deepEqual(
    [frozen, other],
    [
      ['leads', 'resigned', 'leads'],
      ['leads', 'resigned'],
    ],
  );
  await first.stop();
});

/** Runs work whose BroadcastChannel can be frozen: it posts nothing, and what it hears waits until it thaws. */
async function withFreezableChannel(work: () => Promise<void>) {
  const Original = BroadcastChannel;
  let isFrozen = false;
  let waiting: (() => void)[] = [];
  class Freezable extends Original {
    override postMessage(message: unknown): void {
      if (isFrozen) waiting.push(() => super.postMessage(message));
      else super.postMessage(message);
    }

    override set onmessage(listen: (event: MessageEvent) => void) {
      super.onmessage = (event: MessageEvent) => {
        if (isFrozen) waiting.push(() => listen(event));
        else listen(event);
      };
    }
  }
  globalThis.BroadcastChannel = Freezable as typeof BroadcastChannel;
  try {
    await work();
  } finally {
    globalThis.BroadcastChannel = Original;
  }
  return {
    freeze() {
      isFrozen = true;
    },
    thaw() {
      isFrozen = false;
      const late = waiting;
      waiting = [];
      for (const run of late) run();
    },
  };
}
