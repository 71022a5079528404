import assert from 'node:assert/strict';
import { test } from 'node:test';
import { parseFrame } from './client-frames.ts';

test('what is no frame is malformed', () => {
  const deep = `${'['.repeat(30_000)}${']'.repeat(30_000)}`;
  for (const text of ['', '{', 'null', '5', '"ping"', '[]', '{}', '{"type":5}', '{"type":"PING"}', deep]) {
    assert.equal(parseFrame(text).kind, 'malformed', text.slice(0, 20));
  }
  for (const type of ['constructor', '__proto__', 'toString']) {
    assert.equal(parseFrame(JSON.stringify({ type })).kind, 'malformed', type);
  }
});

test('a frame whose type is known is never malformed, whatever it carries', () => {
  for (const data of ['null', '5', '[]', '{}', '{"__proto__":{"conversationId":"7"}}', '"x"']) {
    for (const type of ['send-message', 'mark-read', 'typing']) {
      assert.equal(parseFrame(`{"type":"${type}","data":${data}}`).kind, 'invalid', `${type} ${data}`);
    }
  }
});

test('an invalid message says which one it is', () => {
  const parsed = parseFrame(
    '{"type":"send-message","data":{"clientMsgId":"a","conversationId":"7","content":5}}',
  );
  assert.deepEqual([parsed.kind, 'clientMsgId' in parsed && parsed.clientMsgId], ['invalid', 'a']);
});

test('unknown fields are ignored, and numbers are taken as they are', () => {
  const parsed = parseFrame('{"type":"mark-read","data":{"conversationId":"7","seqId":-0,"x":1},"y":2}');
  assert.equal(parsed.kind, 'frame');
  assert.equal(parseFrame('{"type":"ping","data":[],"timestamp":"x"}').kind, 'frame');
});
