import assert from 'node:assert/strict';
import { test } from 'node:test';
import { bodyToRecord, fromClient } from '../../../lib/domain/message-body.ts';
import { parseFrame } from './client-frames.ts';

test('input that is not a frame is malformed', () => {
  const deep = `${'['.repeat(30_000)}${']'.repeat(30_000)}`;
  for (const text of ['', '{', 'null', '5', '"ping"', '[]', '{}', '{"type":5}', '{"type":"PING"}', deep]) {
    assert.equal(parseFrame(text).kind, 'malformed', text.slice(0, 20));
  }
  const deepData = `{"type":"ping","data":${'['.repeat(5000)}${']'.repeat(5000)}}`;
  assert.equal(parseFrame(deepData).kind, 'malformed');
  for (const type of ['constructor', '__proto__', 'toString']) {
    assert.equal(parseFrame(JSON.stringify({ type })).kind, 'malformed', type);
  }
});

test('a frame whose type is known is never malformed, whatever its data is', () => {
  for (const data of ['null', '5', '[]', '{}', '{"__proto__":{"conversationId":"7"}}', '"x"']) {
    for (const type of ['send-message', 'mark-read', 'typing']) {
      assert.equal(parseFrame(`{"type":"${type}","data":${data}}`).kind, 'invalid', `${type} ${data}`);
    }
  }
});

test('the error of an invalid message names its clientMsgId', () => {
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

test('a valid frame that breaks a rule is neither malformed nor invalid', () => {
  const content = 'x'.repeat(4001);
  const data = { conversationId: '7', clientMsgId: 'a', content };
  assert.equal(parseFrame(JSON.stringify({ type: 'send-message', data })).kind, 'refused');
  const nowhere = { conversationId: 'nowhere', seqId: 1 };
  assert.equal(parseFrame(JSON.stringify({ type: 'mark-read', data: nowhere })).kind, 'refused');
});

test('a message may hold any brackets and quotes, however many', () => {
  for (const character of ['[', '{', '"', '\\', '\\"[']) {
    const content = character.repeat(Math.floor(4000 / character.length));
    const data = { conversationId: '7', clientMsgId: 'a', content: `${content}`, more: content };
    assert.equal(parseFrame(JSON.stringify({ type: 'send-message', data })).kind, 'frame', character);
  }
});

test('only the first error is reported, and the size of a list is checked before its items', () => {
  const good = { conversationId: '7', clientMsgId: 'a', content: 'x' };
  const messageOf = (data: object) => {
    const parsed = parseFrame(JSON.stringify({ type: 'send-message', data }));
    return 'error' in parsed ? parsed.error.message : '';
  };
  assert.equal(
    messageOf({ ...good, mentions: Array(30_000).fill(1) }),
    'data/mentions must NOT have more than 100 items.',
  );
  assert.equal(messageOf({ ...good, mentions: ['1', 2, 3] }), 'data/mentions/1 must be string.');
  assert.equal(messageOf({ conversationId: '7', clientMsgId: 'a' }), 'data/content is required.');
});

const frameBytes = 64 * 1024;
const list = (item: string) => `[${Array(Math.floor((frameBytes - 200) / (item.length + 1))).fill(item)}]`;
const sendMessage = (more: string) =>
  `{"type":"send-message","data":{"conversationId":"7","clientMsgId":"a","content":"x",${more}}}`;
const hostile: Record<string, string> = {
  'wrong mentions': sendMessage(`"mentions":${list('1')}`),
  'too many mentions': sendMessage(`"mentions":${list('"1"')}`),
  'mentions that are objects': sendMessage(`"mentions":${list('{}')}`),
  'nested lists': sendMessage(`"mentions":${'['.repeat(32_000)}${']'.repeat(32_000)}`),
  'nested objects': `${'{"a":'.repeat(10_900)}1${'}'.repeat(10_900)}`,
  'many fields': sendMessage(Array.from({ length: 6000 }, (_, at) => `"k${at}":0`).join()),
  'fields that are numbers': sendMessage(
    Array.from({ length: 4000 }, (_, at) => `"${at * 4_194_304}":0`).join(),
  ),
  'a long text as metadata': sendMessage(`"metadata":{"a":"${'\\u0001'.repeat(10_800)}"}`),
  'metadata with many fields': sendMessage(
    `"metadata":{${Array.from({ length: 5500 }, (_, at) => `"k${at}":0`).join()}}`,
  ),
  'metadata that nests deep': sendMessage(
    `"metadata":{"a":[${Array(450)
      .fill(`${'['.repeat(60)}${']'.repeat(60)}`)
      .join()}]}`,
  ),
  'a long clientMsgId': `{"type":"send-message","data":{"clientMsgId":"${'x'.repeat(65_000)}"}}`,
  'a long content': sendMessage(`"content":"${'\\ud83d\\ude00'.repeat(5400)}"`),
  'a long conversationId': `{"type":"typing","data":{"conversationId":"${'x'.repeat(65_000)}"}}`,
  'a long number': `{"type":"mark-read","data":{"conversationId":"7","seqId":${'9'.repeat(65_000)}}}`,
  'an unknown type': `{"type":"${'x'.repeat(65_000)}"}`,
  'half a list': list('1').slice(0, -1),
};

/** What a frame costs until its record could be produced. */
function produce(text: string): void {
  const parsed = parseFrame(text);
  if (parsed.kind !== 'frame' || parsed.frame.type !== 'send-message') return;
  const { data } = parsed.frame;
  if (data.metadata === undefined) bodyToRecord(fromClient(data));
  else assert.throws(() => fromClient(data), { code: 'MESSAGE_TOO_LARGE' });
}

test('no frame of 64 KiB costs over 2 ms', () => {
  for (const [name, text] of Object.entries(hostile)) {
    assert.ok(Buffer.byteLength(text) <= frameBytes, name);
    let least = Number.POSITIVE_INFINITY;
    // Measures this thread's CPU time, because the machine may be busy with other work.
    for (let round = 0; round < 200 && least >= 2; round++) {
      const from = process.threadCpuUsage();
      produce(text);
      const { user, system } = process.threadCpuUsage(from);
      least = Math.min(least, (user + system) / 1000);
    }
    assert.ok(least < 2, `${name}: ${least.toFixed(1)} ms`);
  }
});
