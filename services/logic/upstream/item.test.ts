import assert from 'node:assert/strict';
import { test } from 'node:test';
import { type Content, readItem } from './item.ts';

const good = {
  user_id: '7',
  conversation_id: '9',
  message_type: 1,
  content: 'hello',
  client_msg_id: 'id',
  timestamp: 1,
  gateway_id: 'g',
  gateway_boot_id: 'b',
  session_id: 's',
};

const read = (value: unknown): Content =>
  readItem(
    { offset: '5', key: null, value: Buffer.from(typeof value === 'string' ? value : JSON.stringify(value)) },
    0,
    1,
  ).content;

test('a message is read with everything that it says', () => {
  const message = { ...good, reply_to_seq_id: 3, mentions: ['8'] };
  assert.deepEqual(read(message), { kind: 'message', message });
});

test('a record of another kind is malformed', () => {
  const wrong = [
    '',
    'null',
    '[]',
    '{',
    { ...good, user_id: 7 },
    { ...good, user_id: 'x' },
    { ...good, timestamp: '1' },
    { ...good, mentions: [8] },
    { event: { event_id: 'e' } },
    { event: { event_id: 'e', conversation_id: 'x', frame: 'f', data: {} } },
  ];
  for (const value of wrong) assert.equal(read(value).kind, 'malformed', JSON.stringify(value));
});

test('a message that nobody may send is refused with the code that says why', () => {
  const wrong: [object, string][] = [
    [{ content: '' }, 'INVALID_ARGUMENT'],
    [{ content: 'x'.repeat(4001) }, 'MESSAGE_TOO_LARGE'],
    [{ content: '\ud800' }, 'INVALID_ARGUMENT'],
    [{ client_msg_id: '' }, 'INVALID_ARGUMENT'],
    [{ client_msg_id: 'ü'.repeat(33) }, 'INVALID_ARGUMENT'],
    [{ message_type: 4 }, 'INVALID_ARGUMENT'],
    [{ reply_to_seq_id: 0 }, 'INVALID_ARGUMENT'],
    [{ conversation_id: 'x' }, 'CONVERSATION_NOT_FOUND'],
  ];
  for (const [change, code] of wrong) {
    const content = read({ ...good, ...change });
    assert.equal(content.kind === 'refused' && content.error.code, code, JSON.stringify(change));
  }
});

test('4,000 characters fit whatever their length in bytes', () => {
  assert.equal(read({ ...good, content: '😀'.repeat(4000) }).kind, 'message');
});
