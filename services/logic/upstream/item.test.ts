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

test('a message is parsed with all its fields', () => {
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

test('an invalid message is refused with a code that names the reason', () => {
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

const happened = { event_id: 'e', conversation_id: '9', actor_id: '7', extra_user_ids: [] };

test('an event is turned into the frame that members get', () => {
  const event = { ...happened, type: 'message.recalled', message_id: 100, seq_id: 4 };
  const { actor_id: _, ...common } = happened;
  const data = { conversationId: '9', messageId: 100, seqId: 4, by: '7' };
  assert.deepEqual(read({ event }), { kind: 'event', event: { ...common, frame: 'message-recalled', data } });
});

test('an event of an earlier version, which holds the frame itself, is delivered unchanged', () => {
  const data = { conversationId: '9', userIds: ['8'], by: '7' };
  const { actor_id: _, ...common } = happened;
  const event = { ...common, frame: 'member-removed', data, last_seq_id: 4 };
  assert.deepEqual(read({ event }), { kind: 'event', event });
});

test('an event without the fields of its type is malformed', () => {
  const wrong: object[] = [
    { type: 'conversation.renamed' },
    { type: 'toString' },
    { type: 'conversation.updated' },
    { type: 'conversation.member.added', members: ['8'] },
    { type: 'conversation.member.removed', user_ids: ['8'] },
    { type: 'message.recalled', message_id: '100', seq_id: 4 },
    { frame: 'member-removed', data: {}, last_seq_id: '4' },
  ];
  for (const some of wrong) {
    assert.equal(read({ event: { ...happened, ...some } }).kind, 'malformed', JSON.stringify(some));
  }
});
