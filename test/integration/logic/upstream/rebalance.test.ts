import assert from 'node:assert/strict';
import { test } from 'node:test';
import { GoChatError } from '../../../../lib/errors.ts';
import type { SaveMessagesRequest } from '../../../../lib/gen/im_repo/v1/message.ts';
import { createMetrics } from '../../../../lib/metrics.ts';
import type { Producing } from '../../../../services/logic/upstream/producing.ts';
import { eventually } from '../../../support/eventually.ts';
import { createMemoryMessages, type MemoryMessages } from '../../../support/logic/memory-messages.ts';
import { createUpstreamSystem, numbers } from '../../../support/logic/upstream-system.ts';

/** One conversation or more for each of the four partitions. */
const conversations = numbers(12).map(String);

/** Opens once. */
function createGate() {
  const { promise, resolve } = Promise.withResolvers<void>();
  return { opened: promise, open: resolve };
}

/** A store that answers its first call only when it may; `calls` are those that reached it, in order. */
function heldOnce(memory: MemoryMessages, gate: Promise<void>) {
  const calls: SaveMessagesRequest[] = [];
  return {
    calls,
    async saveMessages(request: SaveMessagesRequest) {
      calls.push(request);
      if (calls.length === 1) await gate;
      return memory.saveMessages(request);
    },
    resolveRecipients: memory.resolveRecipients,
  };
}

/** Keeps what a process wants to produce until it may. */
function heldProducing(gate: Promise<void>, attempts: { count: number }) {
  return (producing: Producing): Producing => ({
    ...producing,
    async produce(delivery) {
      attempts.count += 1;
      await gate;
      await producing.produce(delivery);
    },
  });
}

const partitionsOf = (requests: readonly SaveMessagesRequest[]) =>
  new Set(requests.flatMap(({ messages }) => messages.map(({ sourcePartition }) => sourcePartition)));

test('a batch whose partitions are reassigned during its save is delivered once, by their new owner', async (t) => {
  const system = await createUpstreamSystem();
  const gate = createGate();
  t.after(async () => {
    gate.open();
    await system.close();
  });
  const memory = createMemoryMessages({ gateways: system.gateways });
  const first = heldOnce(memory, gate.opened);
  const second = heldOnce(memory, Promise.resolve());
  let number = 0;
  const appendAll = () => system.append(conversations.map((id) => system.message(id, ++number)));

  await appendAll();
  await system.start(first);
  await eventually(() => first.calls.length === 1);
  // More waits in the queue of the first process when half of its partitions go.
  await appendAll();
  await system.start(second);
  const taken = () => partitionsOf(second.calls);
  await eventually(() => taken().size === 2 && system.messages().length >= 2);
  gate.open();
  await appendAll();
  await eventually(() => new Set(system.acks().map((ack) => ack.client_msg_id)).size === number);

  assert.equal(memory.stored(), number);
  const late = partitionsOf(first.calls.slice(1));
  assert.deepEqual(
    [...late].filter((partition) => taken().has(partition)),
    [],
    'the first process saved what was not its own any more',
  );
  for (const id of conversations) {
    const seqs = system.messages().filter((one) => one.conversation_id === id);
    assert.deepEqual(
      seqs.map((one) => one.seq_id),
      [1, 2, 3],
    );
  }
  assert.ok(system.acks().every((ack) => !ack.error && !ack.duplicate));
});

test('the offset of an unacknowledged downstream record is not committed: the next owner of the partition delivers the message', async (t) => {
  const system = await createUpstreamSystem();
  const gate = createGate();
  t.after(async () => {
    gate.open();
    await system.close();
  });
  const memory = createMemoryMessages({ gateways: system.gateways });
  const attempts = { count: 0 };
  await system.append(conversations.map((id, index) => system.message(id, index)));
  await system.start(memory, createMetrics('logic'), heldProducing(gate.opened, attempts));
  // Stored, but not produced downstream.
  await eventually(() => attempts.count === 1 && memory.stored() === conversations.length);
  const second = heldOnce(memory, Promise.resolve());
  await system.start(second);
  await eventually(() => partitionsOf(second.calls).size === 2);
  const taken = second.calls.flatMap(({ messages }) => messages.map(({ conversationId }) => conversationId));
  await eventually(() => system.messages().length === taken.length);
  assert.deepEqual(
    system.messages().map(({ conversation_id }) => conversation_id),
    taken,
  );
  assert.ok(system.acks().every(({ duplicate }) => !duplicate));
  assert.equal(memory.stored(), conversations.length);
});

test('the next batch is saved while the previous one is still being produced', async (t) => {
  const system = await createUpstreamSystem();
  const gate = createGate();
  t.after(async () => {
    gate.open();
    await system.close();
  });
  const memory = createMemoryMessages({ gateways: system.gateways });
  const attempts = { count: 0 };
  await system.start(memory, createMetrics('logic'), heldProducing(gate.opened, attempts));
  await system.append([system.message('9', 1)]);
  await eventually(() => attempts.count === 1);
  await system.append([system.message('9', 2)]);
  await eventually(() => memory.stored() === 2);
  assert.deepEqual([system.messages().length, attempts.count], [0, 1]);
  gate.open();
  await eventually(() => system.messages().length === 2);
  assert.deepEqual(
    system.messages().map(({ seq_id }) => seq_id),
    [1, 2],
  );
});

test('the next batch is saved while recipients are looked up, and a look-up that fails is repeated', async (t) => {
  const system = await createUpstreamSystem();
  t.after(system.close);
  const memory = createMemoryMessages({ gateways: system.gateways });
  let lookUps = 0;
  await system.start({
    ...memory,
    async resolveRecipients(request) {
      lookUps += 1;
      // The first look-up fails only when the next batch is stored.
      if (lookUps === 1) {
        await system.append([system.message('9', 2)]);
        await eventually(() => memory.stored() === 2);
        throw new GoChatError('UNAVAILABLE', 'for the test');
      }
      return memory.resolveRecipients(request);
    },
  });
  await system.append([system.message('9', 1)]);
  await eventually(() => system.messages().length === 2);
  assert.deepEqual(
    system.messages().map(({ seq_id }) => seq_id),
    [1, 2],
  );
  assert.equal(memory.calls.length, 2, 'nothing was saved again');
});
