// Room: im-repo and the task service for each test file, with a separate Temporal namespace. Only the tests of task
// use it.

import assert from 'node:assert/strict';
import { randomBytes, randomUUID } from 'node:crypto';
import { loadConfig } from '../../../lib/config.ts';
import { messageType } from '../../../lib/domain/enumerations.ts';
import { connectKafka, withAdmin } from '../../../lib/kafka/kafka.ts';
import { followTail } from '../../../lib/kafka/tail.ts';
import { ensureDownstreamTopic, ensureSharedTopics, topics } from '../../../lib/kafka/topics.ts';
import { createLogger } from '../../../lib/log.ts';
import type { DownstreamMessage, DownstreamRecord, FanoutTask } from '../../../lib/records/records.ts';
import { taskConfig } from '../../../services/task/config.ts';
import { startTask } from '../../../services/task/service.ts';
import { atEnd } from '../at-end.ts';
import { eventually } from '../eventually.ts';
import { openRepoService } from '../repo/repo-service.ts';
import { openTemporalNamespace } from './temporal-namespace.ts';

const log = createLogger('test', process.env.TEST_LOG_LEVEL ?? 'fatal');

/**
 * im-repo and the task service with a separate database, namespace and gateway id for the test file. `delivered` has
 * the messages that the gateway would get. A test file opens one at its top level; it is closed at the end of the
 * file.
 */
export async function openTaskSystem() {
  const gateway = {
    gatewayId: `gw-${randomBytes(4).toString('hex')}`,
    bootId: randomUUID(),
    pushAddress: '',
  };
  const { repo, address } = await openRepoService();
  const kafka = connectKafka({
    brokers: process.env.KAFKA_BROKERS ?? '127.0.0.1:9092',
    clientId: 'test',
    log,
  });
  await withAdmin(kafka, async (admin) => {
    await ensureSharedTopics(admin);
    await ensureDownstreamTopic(admin, gateway.gatewayId);
    // Skip the tasks of other tests, which belong to other databases: the world room has the same id in each.
    const partitions = await admin.fetchTopicOffsets(topics.fanoutTasks);
    await admin.setOffsets({
      groupId: 'gochat-task',
      topic: topics.fanoutTasks,
      partitions: partitions.map(({ partition, high }) => ({ partition, offset: high })),
    });
  });
  const producer = kafka.producer();
  await producer.connect();
  atEnd(() => producer.disconnect());
  const delivered: DownstreamMessage[] = [];
  const tail = await followTail(kafka, {
    topic: topics.downstream(gateway.gatewayId),
    groupId: gateway.bootId,
    onRecord(value) {
      const record: DownstreamRecord = JSON.parse(value.toString());
      assert.equal(record.gateway_boot_id, gateway.bootId);
      delivered.push(...record.messages);
    },
  });
  atEnd(tail.stop);
  const renew = () => repo.presence.renewGateway({ gateway, synced: true });
  await renew();
  const lease = setInterval(() => void renew().catch(() => undefined), 3000);
  atEnd(() => clearInterval(lease));

  const { namespace, client } = await openTemporalNamespace();
  const config = loadConfig(taskConfig, {
    ...process.env,
    TEMPORAL_NAMESPACE: namespace,
    REPO_ADDRESS: address,
    METRICS_PORT: '0',
  });
  let task = await startTask(config, log);
  atEnd(() => task.stop());
  const isReady = async () => (await fetch(`http://127.0.0.1:${task.adminPort}/readyz`)).ok;
  // Bundling the workflows is slow on a busy machine.
  await eventually(isReady, 60_000);
  let lastOffset = 0;

  return {
    repo,
    client,
    kafka,
    gateway,
    delivered,
    seqsOf: (conversationId: string) =>
      delivered.filter((message) => message.conversation_id === conversationId).map(({ seq_id }) => seq_id),
    /** Restarts the task service, and runs `whileAway` between stop and start. */
    async restart(whileAway: () => Promise<void>): Promise<void> {
      await task.stop();
      await whileAway();
      task = await startTask(config, log);
    },
    /** Stores messages and produces a fan-out task, as logic does. */
    async say(conversationId: string, senderId: string, count: number): Promise<void> {
      const { results } = await repo.messages.saveMessages({
        messages: Array.from({ length: count }, () => ({
          conversationId,
          senderId,
          messageType: messageType.text,
          content: 'hello',
          clientMsgId: randomUUID(),
          mentions: [],
          sourcePartition: 0,
          sourceOffset: ++lastOffset,
        })),
        recipientsOf: [],
      });
      const seqIds = results.map(({ seqId, errorMessage }) => {
        assert.equal(errorMessage, '');
        return seqId;
      });
      const fanoutTask: FanoutTask = {
        conversation_id: conversationId,
        first_seq_id: Math.min(...seqIds),
        last_seq_id: Math.max(...seqIds),
        sent_at: Date.now(),
      };
      await producer.send({
        topic: topics.fanoutTasks,
        acks: -1,
        messages: [{ key: conversationId, value: JSON.stringify(fanoutTask) }],
      });
    },
  };
}
