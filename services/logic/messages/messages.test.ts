import assert from 'node:assert/strict';
import { test } from 'node:test';
import { codeOf } from '../../../lib/errors.ts';
import { createMessages } from './messages.ts';

const refused = (): never => assert.fail('not asked');

test('a search for nothing, or for a long text, is refused before im-repo is asked', async () => {
  const queries: string[] = [];
  const { searchMessages } = createMessages({
    messages: new Proxy({} as Parameters<typeof createMessages>[0]['messages'], { get: refused }),
    search: {
      async searchMessages({ query = '' }) {
        queries.push(query);
        return { hits: [] };
      },
    },
    sending: { send: refused },
    recallWindowMs: 0,
    editWindowMs: 0,
  });
  const search = (query: string) =>
    searchMessages({ userId: '1', query, limit: 20 } as Parameters<typeof searchMessages>[0]);
  for (const query of ['', 'x'.repeat(101)])
    await assert.rejects(search(query), (error) => codeOf(error) === 'INVALID_ARGUMENT');
  await search('x'.repeat(100));
  assert.deepEqual(queries, ['x'.repeat(100)]);
});
