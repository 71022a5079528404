import assert from 'node:assert/strict';
import { createHash, randomBytes, randomUUID } from 'node:crypto';
import { Readable } from 'node:stream';
import { buffer } from 'node:stream/consumers';
import { test } from 'node:test';
import type { ListedObject, ObjectStore } from '../../../services/repo/store/store.ts';

const sha256 = (bytes: Uint8Array) => createHash('sha256').update(bytes).digest('hex');

const read = async (object: { body: Readable } | undefined): Promise<Buffer> => {
  assert.ok(object, 'the object is missing');
  return buffer(object.body);
};

export async function allOf(list: AsyncIterable<ListedObject>): Promise<ListedObject[]> {
  const all: ListedObject[] = [];
  for await (const one of list) all.push(one);
  return all.sort((a, b) => (a.key < b.key ? -1 : 1));
}

/** Defines tests of what every kind of store promises. */
export function testStore(store: () => ObjectStore): void {
  const folder = () => `test/${randomUUID()}`;

  test('an object comes back as it was stored, whole and in parts', async () => {
    const key = `${folder()}/object.bin`;
    const bytes = randomBytes(3 * 1024 * 1024 + 7);
    const about = { size: bytes.length, sha256: sha256(bytes), contentType: 'image/png' };
    assert.equal(
      await store().put(key, Readable.from([bytes.subarray(0, 100), bytes.subarray(100)]), about),
      'stored',
    );

    const whole = await store().get(key);
    assert.equal(whole?.size, bytes.length);
    assert.ok((await read(whole)).equals(bytes));
    const part = await store().get(key, { start: 5, end: 9 });
    assert.equal(part?.size, bytes.length, 'the size is that of the whole object');
    assert.deepEqual(await read(part), bytes.subarray(5, 10));
    const last = await store().get(key, { start: bytes.length - 2, end: bytes.length + 100 });
    assert.deepEqual(await read(last), bytes.subarray(-2));
    await assert.rejects(store().get(key, { start: bytes.length, end: bytes.length + 1 }), RangeError);
    const head = await store().head(key);
    assert.equal(head?.size, bytes.length);
    assert.ok(Math.abs(Date.now() - (head?.modifiedAt ?? 0)) < 60_000);
  });

  test('an object is never replaced, and only one of several writers stores it', async () => {
    const key = `${folder()}/once`;
    const outcomes = await Promise.all(
      ['one', 'two', 'six'].map(async (text) => ({
        text,
        outcome: await store().put(key, Buffer.from(text), { size: 3 }),
      })),
    );
    const stored = outcomes.filter(({ outcome }) => outcome === 'stored');
    assert.equal(stored.length, 1);
    assert.equal(await store().put(key, Buffer.from('new'), { size: 3 }), 'existed');
    assert.equal(String(await read(await store().get(key))), stored[0]?.text);
  });

  test('a body with another size or hash, or one that breaks off, leaves nothing', async () => {
    const prefix = folder();
    const bytes = Buffer.from('the body');
    await assert.rejects(store().put(`${prefix}/short`, Readable.from([bytes]), { size: bytes.length + 1 }));
    await assert.rejects(
      store().put(`${prefix}/hash`, bytes, { size: bytes.length, sha256: sha256(Buffer.from('x')) }),
    );
    const broken = Readable.from(
      (async function* () {
        yield bytes;
        throw new Error('broke off');
      })(),
    );
    await assert.rejects(store().put(`${prefix}/broken`, broken, { size: bytes.length * 2 }));
    assert.deepEqual(await allOf(store().list(`${prefix}/`)), []);
  });

  test('a missing object is undefined, and deleting it does nothing', async () => {
    const key = `${folder()}/missing`;
    assert.equal(await store().get(key), undefined);
    assert.equal(await store().head(key), undefined);
    await store().delete(key);
  });

  test('a list has the objects below a prefix, and no deleted ones', async () => {
    const prefix = folder();
    for (const name of ['a/1', 'a/2', 'ab/3', 'c']) {
      await store().put(`${prefix}/${name}`, Buffer.from(name), { size: name.length });
    }
    await store().delete(`${prefix}/a/1`);
    const keys = async (below: string) => (await allOf(store().list(below))).map(({ key }) => key);
    assert.deepEqual(
      await keys(`${prefix}/`),
      ['a/2', 'ab/3', 'c'].map((name) => `${prefix}/${name}`),
    );
    assert.deepEqual(await keys(`${prefix}/a/`), [`${prefix}/a/2`]);
    assert.deepEqual(await keys(`${prefix}/a`), [`${prefix}/a/2`, `${prefix}/ab/3`]);
    const [first] = await allOf(store().list(`${prefix}/c`));
    assert.equal(first?.size, 1);
  });

  test('a key that could leave the store is refused', async () => {
    for (const key of [
      '../outside',
      'a/../../b',
      '/etc/passwd',
      'a//b',
      '',
      '.hidden',
      'a\\b',
      'a\0b',
      'a/.',
    ]) {
      await assert.rejects(async () => store().put(key, Buffer.from('x'), { size: 1 }), /not valid/, key);
      await assert.rejects(async () => store().get(key), /not valid/, key);
    }
  });
}
