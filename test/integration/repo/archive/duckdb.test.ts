import assert from 'node:assert/strict';
import { test } from 'node:test';
import { Problem } from '../../../../scripts/process/problem.ts';
import { openArchiveRepo } from '../../../support/archive/archive-parts.ts';
import { duckdb } from '../../../support/archive/duckdb.ts';

const { repo } = await openArchiveRepo();

test('other programs read the objects, with bucket and month as columns', { timeout: 180_000 }, async (t) => {
  const { users, id } = await repo.newConversationOf(2);
  const [ann] = users;
  for (const content of ['first', 'zweite Größe', '第三 👍']) await repo.say(id, ann, content);
  await repo.say(id, ann, 'stays');
  await repo.archiveOf(id);
  const sql = `SELECT seq_id, content, client_msg_id, deleted, edited_at, bucket::INT, period::VARCHAR
    FROM read_parquet('${repo.coldFolder}/v1/**/*.parquet', hive_partitioning = true)
    WHERE conversation_id = ${id} ORDER BY seq_id`;
  const rows = await duckdb(sql).catch((error: unknown) => {
    if (!(error instanceof Problem)) throw error;
    t.skip(`${error.message} Nothing was compared.`);
  });
  if (!rows) return;
  const { messages } = await repo.messages.getMessages({ userId: ann, conversationId: id, limit: 50 });
  const month = new Date(messages[0]?.createdAt ?? 0).toISOString().slice(0, 7);
  assert.deepEqual(
    rows,
    messages
      .slice(0, 3)
      .map(({ seqId, content, clientMsgId }) => [
        seqId,
        content,
        clientMsgId,
        false,
        null,
        repo.bucketOf(id),
        month,
      ]),
  );
});
