import assert from 'node:assert/strict';
import { randomBytes } from 'node:crypto';
import { after, before, test } from 'node:test';
import { Connection } from '@temporalio/client';
import { msToTs, tsToMs } from '@temporalio/common/lib/time.js';
import { createLogger } from '../../../lib/log.ts';
import { provision } from '../../../services/task/temporal/provision.ts';
import { eventually } from '../../support/eventually.ts';

const log = createLogger('test', process.env.TEST_LOG_LEVEL ?? 'fatal');
const address = process.env.TEMPORAL_ADDRESS ?? '127.0.0.1:7233';
const namespace = `gochat-test-${randomBytes(6).toString('hex')}`;
const day = 24 * 3_600_000;
let connection: Connection;

before(async () => {
  connection = await Connection.connect({ address });
});
after(async () => {
  await connection?.operatorService.deleteNamespace({ namespace });
  await connection?.close();
});

const retentionMs = async () => {
  const { config } = await connection.workflowService.describeNamespace({ namespace });
  return tsToMs(config?.workflowExecutionRetentionTtl);
};

test('a namespace that somebody else has made gets the retention and the search attributes of ours', async () => {
  await connection.workflowService.registerNamespace({
    namespace,
    workflowExecutionRetentionPeriod: msToTs(day),
  });
  await eventually(async () => (await retentionMs().catch(() => 0)) === day);

  await provision({ address, namespace, log });
  assert.equal(await retentionMs(), 7 * day);
  const { customAttributes } = await connection.operatorService.listSearchAttributes({ namespace });
  // io.temporal IndexedValueType: Keyword, KeywordList
  const { ConversationId, UserId, UserIds } = customAttributes ?? {};
  assert.deepEqual({ ConversationId, UserId, UserIds }, { ConversationId: 2, UserId: 2, UserIds: 7 });
});

test('what is as it should be is left alone', async () => {
  await provision({ address, namespace, log });
  assert.equal(await retentionMs(), 7 * day);
});
