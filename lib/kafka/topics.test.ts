import assert from 'node:assert/strict';
import { test } from 'node:test';
import type { Admin } from 'kafkajs';
import { ensureDownstreamTopic, topics } from './topics.ts';

const topic = topics.downstream('g1');
const notHosted = () =>
  Object.assign(new Error('This server does not host this topic-partition'), { retriable: true });

/**
 * A broker that lists a topic at once after its creation, but refuses the first `questions` requests for its offsets.
 */
function slowBroker(questions: number, failure: () => Error) {
  const asked = { create: 0, offsets: 0 };
  const admin = {
    listTopics: async () => (asked.create > 0 ? [topic] : []),
    createTopics: async () => {
      asked.create += 1;
      return true;
    },
    fetchTopicOffsets: async () => {
      asked.offsets += 1;
      if (asked.offsets <= questions) throw failure();
      return [];
    },
  };
  return { admin: admin as unknown as Admin, asked };
}

test('a topic is ensured only when the broker serves it', async () => {
  const wrapped = () => new Error('tried 8 times', { cause: notHosted() });
  await Promise.all(
    [notHosted, wrapped].map(async (failure) => {
      const { admin, asked } = slowBroker(2, failure);
      await ensureDownstreamTopic(admin, 'g1');
      assert.deepEqual(asked, { create: 1, offsets: 3 });
    }),
  );
});

test('a permanent error is thrown at once', async () => {
  const { admin, asked } = slowBroker(1, () => new Error('not authorized'));
  await assert.rejects(ensureDownstreamTopic(admin, 'g1'), /not authorized/);
  assert.equal(asked.offsets, 1);
});
