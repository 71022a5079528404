import assert from 'node:assert/strict';
import { test } from 'node:test';
import { loadViews } from '../../../../services/repo/conversation-lists/conversation-view.ts';
import { readBasics } from '../../../../services/repo/rows/conversation-basic.ts';
import { recalledBeyond, storeRecalls } from '../../../../services/repo/rows/recall-counts.ts';
import { loadUnread } from '../../../../services/repo/rows/unread.ts';
import { openConversationRepo } from '../../../support/repo/open-repo.ts';
import { countRowsRead } from '../../../support/repo/rows-read.ts';

const head = 30_000;
/** Two of three messages are recalled. */
const recalled = Array.from({ length: head }, (_, n) => n + 1).filter((seqId) => seqId % 3 !== 0);
const most = 2500;

const { repo } = await openConversationRepo();
const { databases: counted, rowsReadBy } = countRowsRead(repo.url);

/** A group with 20,000 recalls, stored as recalls are stored. */
async function muchRecalled(): Promise<{ id: string; reader: string }> {
  const [ann = '', reader = ''] = await repo.newUsers(2);
  const id = await repo.newGroup([ann, reader]);
  const sql = repo.databases.users;
  const shuffled = recalled.toSorted((a, b) => (a % 7) - (b % 7));
  for (let from = 0; from < shuffled.length; from += 1000) {
    const part = shuffled.slice(from, from + 1000);
    await sql.batch(
      storeRecalls(
        Number(id),
        part.map((seqId) => ({ seqId, messageId: seqId, by: 1 })),
      ).join(';\n'),
    );
  }
  await sql.execute('UPDATE conversation_heads SET last_seq_id = ? WHERE conversation_id = ?', [
    head,
    Number(id),
  ]);
  await sql.execute('ANALYZE TABLE message_recalls, message_recall_counts');
  return { id, reader };
}

test('with 20,000 recalls, unread counts are exact and cost few rows', async () => {
  const { id, reader } = await muchRecalled();
  const conversationIds = [Number(id)];
  for (const pointer of [0, 1, 999, 1000, 1001, 15_500, head - 50, head - 1, head]) {
    await repo.databases.users.execute(
      `INSERT INTO user_read_pointers (user_id, conversation_id, last_read_seq_id, updated_at) VALUES (?, ?, ?, 1)
       ON DUPLICATE KEY UPDATE last_read_seq_id = VALUES(last_read_seq_id)`,
      [Number(reader), Number(id), pointer],
    );
    const expected = head - pointer - recalled.filter((seqId) => seqId > pointer).length;
    const counts: unknown[] = [];
    const views = await rowsReadBy(async () => {
      const loaded = await loadViews({ databases: counted, userCards: repo.userCards }, Number(reader), {
        detailed: 100,
      });
      counts.push(...loaded.views.map(({ unreadCount }) => unreadCount));
      const { recalls } = loaded.views[0]?.basic ?? assert.fail();
      assert.deepEqual(recalls.seqIds, recalled.toReversed().slice(0, 60));
      assert.equal(recalls.total, recalled.length);
    });
    const unread = await rowsReadBy(async () => {
      const [found] = await loadUnread(counted, Number(reader), conversationIds);
      counts.push(found?.unreadCount);
    });
    assert.deepEqual(counts, [expected, expected], `read up to ${pointer}`);
    assert.ok(views < 2 * most, `a view reads ${views} rows`);
    assert.ok(unread < most, `a count reads ${unread} rows`);
    assert.equal((await repo.see(reader, id)).unreadCount, expected);
  }
});

test('counting 20,000 recalls reads few rows, also for members who have read nothing', async () => {
  const { id } = await muchRecalled();
  let basics = new Map();
  const rows = await rowsReadBy(async () => {
    basics = await readBasics(
      {
        databases: counted,
        cache: { read: async (_kind, ids, load) => new Map(await load([...ids])) },
      },
      [id],
    );
  });
  const { recalls } = basics.get(id);
  assert.ok(rows < 2 * most, `${rows} rows`);
  assert.equal(recalledBeyond(recalls, 0), recalled.length);
  assert.equal(recalledBeyond(recalls, head - 30), 20);
  assert.equal(recalledBeyond(recalls, 15_000), undefined);
});
