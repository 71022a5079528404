import assert from 'node:assert/strict';
import { test } from 'node:test';
import { msToTs, tsToMs } from '@temporalio/common/lib/time.js';
import { createLogger } from '../../../lib/log.ts';
import { provision } from '../../../services/task/temporal/provision.ts';
import { eventually } from '../../support/eventually.ts';
import { openTemporal, temporalAddress } from '../../support/task/temporal-namespace.ts';

const log = createLogger('test', process.env.TEST_LOG_LEVEL ?? 'fatal');
const day = 24 * 3_600_000;
const { namespace, connection } = await openTemporal();

const retentionMs = async () => {
  const { config } = await connection.workflowService.describeNamespace({ namespace });
  return tsToMs(config?.workflowExecutionRetentionTtl);
};

test('an existing namespace gets our retention and search attributes', async () => {
  await connection.workflowService.registerNamespace({
    namespace,
    workflowExecutionRetentionPeriod: msToTs(day),
  });
  await eventually(async () => (await retentionMs().catch(() => 0)) === day);

  await provision({ address: temporalAddress, namespace, log });
  assert.equal(await retentionMs(), 7 * day);
  const { customAttributes } = await connection.operatorService.listSearchAttributes({ namespace });
  // io.temporal IndexedValueType: Keyword, KeywordList
  const { ConversationId, UserId, UserIds } = customAttributes ?? {};
  assert.deepEqual({ ConversationId, UserId, UserIds }, { ConversationId: 2, UserId: 2, UserIds: 7 });
});

test('a correct namespace is not changed', async () => {
  await provision({ address: temporalAddress, namespace, log });
  assert.equal(await retentionMs(), 7 * day);
});
