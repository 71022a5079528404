import assert from 'node:assert/strict';
import { EventEmitter } from 'node:events';
import { test } from 'node:test';
import type { Consumer, ConsumerRunConfig } from 'kafkajs';
import { eventually } from '../../test/support/eventually.ts';
import { createLogger } from '../log.ts';
import { keepRunning } from './keep-running.ts';

/** A consumer as kafkajs makes it, which counts how often it was run; the first `refusals` attempts after a crash fail. */
function scene(refusals = 0) {
  const emitter = new EventEmitter();
  const runs: (ConsumerRunConfig | undefined)[] = [];
  let failures = refusals;
  let connects = 0;
  const consumer = keepRunning(
    {
      events: { CRASH: 'consumer.crash' },
      on: (name: string, listener: () => void) => emitter.on(name, listener),
      async connect() {
        connects += 1;
        if (connects > 1 && failures-- > 0) throw new Error('the broker is away');
      },
      async run(config?: ConsumerRunConfig) {
        runs.push(config);
      },
      disconnect: async () => undefined,
    } as unknown as Consumer,
    createLogger('test', 'silent'),
    1,
  );
  return {
    consumer,
    runs,
    crash: (restart: boolean) =>
      emitter.emit('consumer.crash', { payload: { error: new Error('no coordinator'), restart } }),
  };
}

const config: ConsumerRunConfig = { autoCommit: false };

test('a consumer that was given up runs again as it was told to, however long that takes', async () => {
  const { consumer, runs, crash } = scene(3);
  await consumer.connect();
  await consumer.run(config);
  crash(false);
  await eventually(() => runs.length === 2);
  assert.deepEqual(runs, [config, config]);
});

test('a crash that kafkajs deals with itself, and one after the end, start nothing', async () => {
  const { consumer, runs, crash } = scene();
  await consumer.connect();
  await consumer.run(config);
  crash(true);
  await consumer.disconnect();
  crash(false);
  await new Promise((resolve) => setTimeout(resolve, 20));
  assert.equal(runs.length, 1);
});
