import assert from 'node:assert/strict';
import { test } from 'node:test';
import { openErasureRepo } from '../../../support/repo/erasure-repo.ts';
import { createSearchParts } from '../../../support/search/search-parts.ts';

const { repo, register, close } = await openErasureRepo();
const { tell, search, termsOf } = createSearchParts(repo);

test('the words of an erased user’s messages leave the index with their redaction, and those of others stay', async () => {
  const { id: ann } = await register();
  const { id: bob } = await register();
  const id = await repo.newGroup([bob, ann]);
  const texts = Array.from({ length: 30 }, (_, n) => `apple cherry${n}`);
  await tell(id, ann, ...texts);
  await tell(id, bob, 'apple plum');
  await close(ann);
  for (let cursor = ''; ; ) {
    const done = await repo.messages.redactMessages({ userId: ann, cursor, limit: 20 });
    cursor = done.nextCursor;
    if (cursor === '') break;
  }
  assert.deepEqual(await termsOf(id), ['apple', 'plum']);
  assert.deepEqual((await search(bob, 'apple')).contents, ['apple plum']);
  assert.deepEqual((await search(bob, 'cherry')).contents, []);
});
