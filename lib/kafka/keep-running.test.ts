import assert from 'node:assert/strict';
import { EventEmitter } from 'node:events';
import { test } from 'node:test';
import { setImmediate as turn } from 'node:timers/promises';
import type { Consumer, ConsumerRunConfig } from 'kafkajs';
import { eventually } from '../../test/support/eventually.ts';
import { createLogger } from '../log.ts';
import { keepRunning } from './keep-running.ts';

/** A consumer like kafkajs's that counts its runs. The first `refusals` attempts after a crash fail. */
function scene(refusals = 0) {
  const emitter = new EventEmitter();
  const runs: (ConsumerRunConfig | undefined)[] = [];
  let failures = refusals;
  let connects = 0;
  let disconnects = 0;
  let joining: Promise<void> | undefined;
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
        await joining;
      },
      async disconnect() {
        disconnects += 1;
      },
    } as unknown as Consumer,
    createLogger('test', 'silent'),
    1,
  );
  return {
    consumer,
    runs,
    disconnects: () => disconnects,
    crash: () => emitter.emit('consumer.crash', { payload: { error: new Error('no coordinator') } }),
    /** From now on, joining the group takes until the returned function is called. */
    holdJoining(): () => void {
      const { promise, resolve } = Promise.withResolvers<void>();
      joining = promise;
      return resolve;
    },
  };
}

const config: ConsumerRunConfig = { autoCommit: false };

test('a consumer that kafkajs has given up runs again with the same options, however long that takes', async () => {
  const { consumer, runs, crash } = scene(3);
  await consumer.connect();
  await consumer.run(config);
  crash();
  await eventually(() => runs.length === 2);
  assert.deepEqual(runs, [config, config]);
});

test('a crash after the end starts nothing', async (t) => {
  t.mock.timers.enable({ apis: ['setTimeout'] });
  const { consumer, runs, crash } = scene();
  await consumer.connect();
  await consumer.run(config);
  await consumer.disconnect();
  crash();
  t.mock.timers.tick(60_000);
  await turn();
  assert.equal(runs.length, 1);
});

test('a consumer that is stopped while it joins its group does not stay', async () => {
  const { consumer, disconnects, holdJoining } = scene();
  await consumer.connect();
  const joined = holdJoining();
  const running = consumer.run(config);
  await consumer.disconnect();
  joined();
  await running;
  assert.equal(disconnects(), 2);
});
