import assert from 'node:assert/strict';
import { test } from 'node:test';
import { readStoreAddress } from './open-store.ts';

const read = (url: string) => readStoreAddress('FILES_URL', url);

test('a directory is named by fs or by file', () => {
  assert.deepEqual(read('fs:///var/lib/files'), { kind: 'directory', path: '/var/lib/files' });
  assert.deepEqual(read('file:///var/my%20files'), { kind: 'directory', path: '/var/my files' });
});

test('a bucket has an endpoint, a region and a folder', () => {
  assert.deepEqual(read('s3://chat/a/b/?endpoint=http://127.0.0.1:9000&region=eu-central-1'), {
    kind: 's3',
    bucket: 'chat',
    prefix: 'a/b/',
    endpoint: 'http://127.0.0.1:9000',
    region: 'eu-central-1',
  });
  assert.deepEqual(read('s3://chat?region=eu-west-1'), {
    kind: 's3',
    bucket: 'chat',
    prefix: '',
    endpoint: undefined,
    region: 'eu-west-1',
  });
});

test('a wrong address is refused by a sentence that names the setting and no secret', () => {
  for (const url of ['', 'files', 'fs://var/lib', 'http://host/a', 's3://', 's3://b?endpoint=host:9000']) {
    assert.throws(() => read(url), /^Error: configuration: FILES_URL /, url);
  }
  assert.throws(
    () => read('s3://key:secret@bucket'),
    (error: Error) => !error.message.includes('secret@') && /credentials/.test(error.message),
  );
});
