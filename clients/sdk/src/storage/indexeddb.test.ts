import assert from 'node:assert/strict';
import { test } from 'node:test';
import { IDBFactory } from 'fake-indexeddb';
import { indexedDb } from '../indexeddb.ts';
import { emptyState } from '../model/model.ts';
import { indexedDbPlace } from './indexeddb.ts';

/** Runs work where `indexedDB` is there, as in a browser. */
async function inBrowser(work: () => Promise<void>): Promise<void> {
  const page = globalThis as { indexedDB?: IDBFactory };
  page.indexedDB = new IDBFactory();
  try {
    await work();
  } finally {
    delete page.indexedDB;
  }
}

test('IndexedDB keeps what was written, and a writer that was replaced writes nothing more', () =>
  inBrowser(async () => {
    const place = indexedDbPlace('one');
    await place.write(
      new Map<string, unknown>([
        ['a', 1],
        ['writer', 'new'],
      ]),
    );
    await place.write(
      new Map([
        ['a', undefined],
        ['b', 2],
      ]),
      { key: 'writer', value: 'new' },
    );
    await assert.rejects(place.write(new Map([['b', 3]]), { key: 'writer', value: 'old' }));
    const again = indexedDbPlace('one');
    assert.deepEqual([...(await again.read())].sort(), [
      ['b', 2],
      ['writer', 'new'],
    ]);
    assert.equal((await indexedDbPlace('two').read()).size, 0);
    await again.clear();
    assert.equal((await place.read()).size, 0);
  }));

test('what two users of one browser store is kept apart', () =>
  inBrowser(async () => {
    const persisterOf = (username: string) => {
      const state = emptyState();
      const credentials = { username, password: 'secret' };
      const persister = indexedDb()?.createPersister({
        url: 'http://chat.test',
        credentials,
        state,
        onError() {},
      });
      assert.ok(persister);
      return { persister, state };
    };
    const ann = persisterOf('ann');
    ann.state.drafts.set('1', 'of ann');
    ann.persister.changed(['1']);
    await ann.persister.flush();
    const draftOf = async (username: string) =>
      (await persisterOf(username).persister.load())?.state.drafts.get('1');
    assert.deepEqual(
      [await draftOf('ann'), await draftOf('Ann'), await draftOf('bob')],
      ['of ann', 'of ann', undefined],
    );
  }));
