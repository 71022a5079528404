import assert from 'node:assert/strict';
import { test } from 'node:test';
import { codeOf } from '../errors.ts';
import { limits } from './limits.ts';
import {
  bodyFromRecord,
  bodyOf,
  bodyRefusal,
  bodyToRecord,
  checkContentLength,
  extraFromRecord,
  extraToRecord,
  metadataRefusal,
  metadataText,
  readMetadata,
  readRecordBody,
} from './message-body.ts';

const plain = { messageType: 1, content: 'hello', clientMsgId: 'a' };
const full = { ...plain, replyToSeqId: 3, mentions: ['8'] };
const inRecords = {
  message_type: 1,
  content: 'hello',
  client_msg_id: 'a',
  reply_to_seq_id: 3,
  mentions: ['8'],
};

test('a body is the same after it was written into a record and read back', () => {
  assert.deepEqual(bodyToRecord(full), inRecords);
  assert.deepEqual(bodyFromRecord(inRecords), full);
  assert.deepEqual(readRecordBody(inRecords), inRecords);
  assert.deepEqual(bodyFromRecord(bodyToRecord(plain)), plain);
  assert.deepEqual(extraFromRecord(extraToRecord(full)), { replyToSeqId: 3, mentions: ['8'] });
});

test('absent fields and empty lists are left out', () => {
  const sparse = { ...plain, replyToSeqId: undefined, mentions: [] };
  assert.deepEqual(bodyOf(sparse), plain);
  assert.deepEqual(Object.keys(bodyToRecord(sparse)), ['message_type', 'content', 'client_msg_id']);
  assert.deepEqual(extraToRecord(sparse), {});
});

test('of a larger object only the body is taken, and a message without a type is a text', () => {
  const larger = { ...full, messageType: undefined, id: 1, sender: {} };
  assert.deepEqual(bodyOf(larger), full);
  assert.equal(bodyToRecord({ content: 'x', clientMsgId: 'a' }).message_type, 1);
});

test('a record with fields of wrong types has no body', () => {
  for (const wrong of [
    { message_type: '1' },
    { content: 1 },
    { client_msg_id: undefined },
    { reply_to_seq_id: '3' },
    { mentions: 'x' },
    { mentions: [8] },
    { mentions: null },
  ]) {
    assert.equal(readRecordBody({ ...inRecords, ...wrong }), undefined, JSON.stringify(wrong));
  }
  const { reply_to_seq_id: _, mentions: __, ...rest } = inRecords;
  assert.deepEqual(readRecordBody({ ...rest, user_id: '7' }), rest);
});

test('a body is refused for the first field that is wrong', () => {
  const image = { messageType: 2, content: '{"url":"https://a.b/c","name":"c","size":1,"mime":"image/png"}' };
  for (const good of [plain, full, { ...plain, ...image }, { ...plain, content: '😀'.repeat(4000) }]) {
    assert.equal(bodyRefusal(good), undefined, JSON.stringify(good).slice(0, 80));
  }
  const wrong: [object, string, string?][] = [
    [{ clientMsgId: '' }, 'clientMsgId'],
    [{ clientMsgId: 'ü'.repeat(33) }, 'clientMsgId'],
    [{ clientMsgId: '\ud800' }, 'clientMsgId'],
    [{ messageType: 0 }, 'messageType'],
    [{ messageType: 4 }, 'messageType'],
    [{ messageType: 1.5 }, 'messageType'],
    [{ content: '' }, 'content'],
    [{ content: '\ud800' }, 'content'],
    [{ content: 'x'.repeat(4001) }, 'content', 'MESSAGE_TOO_LARGE'],
    [{ messageType: 2 }, 'content'],
    [{ replyToSeqId: 0 }, 'replyToSeqId'],
    [{ replyToSeqId: 2 ** 53 }, 'replyToSeqId'],
    [{ mentions: Array(101).fill('8') }, 'mentions'],
    [{ mentions: ['0'] }, 'mentions'],
  ];
  for (const [change, path, code = 'INVALID_ARGUMENT'] of wrong) {
    const refused = bodyRefusal({ ...full, ...change });
    assert.deepEqual(
      [refused?.code, refused?.fields[0]?.path],
      [code, path],
      JSON.stringify(change).slice(0, 80),
    );
  }
});

test('the length of a content counts code points', () => {
  checkContentLength('😀'.repeat(4000));
  assert.throws(() => checkContentLength('😀'.repeat(4001)), { code: 'MESSAGE_TOO_LARGE' });
});

const codeFor = (text: string) => {
  const refusal = metadataRefusal(text);
  return refusal && codeOf(refusal);
};

test('metadata is a JSON object of at most 4 KiB as text', () => {
  const longest = JSON.stringify({ text: 'x'.repeat(limits.metadataBytes - '{"text":""}'.length) });
  for (const text of ['{}', '{"a":{"b":[1,null,"ü"]}}', longest]) assert.equal(codeFor(text), undefined);
  for (const text of ['', 'null', '[]', '1', '"x"', '{"a":1', 'x'])
    assert.equal(codeFor(text), 'INVALID_ARGUMENT');
  assert.equal(codeFor(longest.replace('x', 'ü')), 'MESSAGE_TOO_LARGE');
});

test('metadata cannot change the prototype of an object that it is copied into', () => {
  assert.equal(codeFor('{"a":[{"__proto__":{"admin":true}}]}'), 'INVALID_ARGUMENT');
  assert.equal(codeFor(JSON.stringify({ text: '"__proto__":' })), undefined);
});

test('metadata that is too long, or nested too deep to be written, is too large', () => {
  const deep = JSON.parse(`{"a":${'['.repeat(200_000)}${']'.repeat(200_000)}}`);
  const long = { a: 'x'.repeat(limits.metadataBytes - '{"a":""}'.length + 1) };
  for (const metadata of [deep, long]) {
    assert.throws(
      () => metadataText(metadata),
      (error) => codeOf(error) === 'MESSAGE_TOO_LARGE',
    );
  }
  assert.deepEqual(readMetadata(metadataText({ a: [1] })), { a: [1] });
});
