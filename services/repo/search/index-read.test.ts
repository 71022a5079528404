import assert from 'node:assert/strict';
import { test } from 'node:test';
import type { Database } from '../storage/database.ts';
import { createIndexSearch } from './index-read.ts';
import { parseQuery } from './query.ts';

/** A database with 10,000 blocks in which no two words of the query occur together. */
function scene() {
  const blocks = Array.from({ length: 10_000 }, (_, block) => ({
    conversation_id: 1,
    block,
    first_at: 1000 * block,
    last_at: 1000 * block + 999,
  }));
  let lookedUp = 0;
  const database = {
    async batch(sql: string) {
      if (sql.includes('last_at >=')) return [[...blocks]];
      const [, list = ''] = /block IN \(([\d,]+)\)/.exec(sql) ?? [];
      lookedUp += list.split(',').length;
      return [[]];
    },
  } as Partial<Database> as Database;
  const search = createIndexSearch({
    databases: { byShard: (things) => new Map([[database, [...things]]]) },
  });
  const query = parseQuery('the other and ');
  assert.ok(query);
  return {
    reader: search(query, { conversationIds: [1], from: 0, to: Number.MAX_SAFE_INTEGER }),
    lookedUp: () => lookedUp,
  };
}

test('a call that finds nothing in many blocks ends with a bound from which the next one goes on', async () => {
  const { reader, lookedUp } = scene();
  let last = Infinity;
  let calls = 0;
  for (let before = 0; ; calls += 1) {
    const { candidates, bound } = await reader.next(100);
    assert.deepEqual(candidates, []);
    assert.ok(bound < last);
    if (bound === -Infinity) break;
    assert.ok(lookedUp() - before < 2 * 2 * 1024, `${lookedUp() - before}`);
    [last, before] = [bound, lookedUp()];
  }
  assert.ok(calls >= 5);
});
