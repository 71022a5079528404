import assert from 'node:assert/strict';
import { test } from 'node:test';
import type { Producer, ProducerBatch, RecordMetadata } from 'kafkajs';
import { createGroupCommit } from './group-commit.ts';

/** A broker that acknowledges when the test calls it to: a real one cannot be paused in the middle of a produce. */
function createBroker() {
  const batches: ProducerBatch[] = [];
  let settle: { acknowledge(): void; fail(error: Error): void } | undefined;
  return {
    batches,
    producer: {
      sendBatch: (batch: ProducerBatch) => {
        batches.push(batch);
        return new Promise<RecordMetadata[]>((resolve, reject) => {
          settle = { acknowledge: () => resolve([]), fail: reject };
        });
      },
    } as unknown as Producer,
    acknowledge: () => settle?.acknowledge(),
    fail: () => settle?.fail(new Error('the broker says no')),
  };
}

const turn = () => new Promise((resolve) => setImmediate(resolve));
const valuesOf = ({ topicMessages = [] }: ProducerBatch) =>
  topicMessages.flatMap(({ messages }) => messages.map(({ value }) => value));

test('records that arrive while a produce is in flight form the next produce, in their order', async () => {
  const broker = createBroker();
  const commit = createGroupCommit(broker.producer, { maxPending: 100 });
  const sent = [commit.send('t', 'a', '1'), commit.send('t', 'b', '2')];
  await turn();
  for (const value of ['3', '4', '5']) sent.push(commit.send('t', 'a', value));
  await turn();
  assert.deepEqual(broker.batches.map(valuesOf), [['1', '2']]);
  broker.acknowledge();
  await Promise.all(sent.slice(0, 2));
  assert.deepEqual(broker.batches.map(valuesOf), [
    ['1', '2'],
    ['3', '4', '5'],
  ]);
  assert.equal(commit.depth(), 3);
  broker.acknowledge();
  await Promise.all(sent);
  assert.equal(commit.depth(), 0);
});

test('every in-sync replica has to acknowledge, and a record keeps its key', async () => {
  const broker = createBroker();
  const commit = createGroupCommit(broker.producer, { maxPending: 100 });
  const sent = commit.send('t', 'conversation', 'x');
  await turn();
  const [batch] = broker.batches;
  assert.equal(batch?.acks, -1);
  assert.deepEqual(batch?.topicMessages, [{ topic: 't', messages: [{ key: 'conversation', value: 'x' }] }]);
  broker.acknowledge();
  await sent;
});

test('a full queue refuses at once, and accepts records again as soon as there is room', async () => {
  const broker = createBroker();
  const commit = createGroupCommit(broker.producer, { maxPending: 3 });
  const sent = [commit.send('t', null, '1')];
  await turn();
  sent.push(commit.send('t', null, '2'), commit.send('t', null, '3'));
  await assert.rejects(commit.send('t', null, '4'), { code: 'UNAVAILABLE' });
  broker.acknowledge();
  await sent[0];
  sent.push(commit.send('t', null, '5'));
  broker.acknowledge();
  await sent[1];
  broker.acknowledge();
  await Promise.all(sent);
  assert.deepEqual(broker.batches.map(valuesOf), [['1'], ['2', '3'], ['5']]);
});

test('a failed produce rejects its own records only, and the next produce goes on', async () => {
  const broker = createBroker();
  const commit = createGroupCommit(broker.producer, { maxPending: 100 });
  const failing = commit.send('t', null, '1');
  await turn();
  const next = commit.send('t', null, '2');
  broker.fail();
  await assert.rejects(failing, /says no/);
  broker.acknowledge();
  await next;
});

test('a produce stays below the broker’s size limit', async () => {
  const broker = createBroker();
  const commit = createGroupCommit(broker.producer, { maxPending: 100 });
  const sent = Array.from({ length: 5 }, () => commit.send('t', 'k', 'x'.repeat(400_000)));
  for (const one of sent) {
    await turn();
    broker.acknowledge();
    await one;
  }
  assert.deepEqual(
    broker.batches.map((batch) => valuesOf(batch).length),
    [2, 2, 1],
  );
});

test('a produce that may linger includes the records that arrive meanwhile', async () => {
  const broker = createBroker();
  const commit = createGroupCommit(broker.producer, { maxPending: 100, lingerMs: () => 100 });
  const sent = [commit.send('t', 'a', '1')];
  await turn();
  await turn();
  assert.equal(broker.batches.length, 0);
  sent.push(commit.send('t', 'a', '2'));
  while (broker.batches.length === 0) await turn();
  assert.deepEqual(broker.batches.map(valuesOf), [['1', '2']]);
  broker.acknowledge();
  await Promise.all(sent);
});
