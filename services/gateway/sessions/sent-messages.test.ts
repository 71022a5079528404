import assert from 'node:assert/strict';
import { test } from 'node:test';
import { forgetSent, isOwnCopy, noteSent, type SentMessages } from './sent-messages.ts';

const newSession = (): { sent?: SentMessages } => ({});

test('a session recognises its own message, also when it is delivered a second time', () => {
  const session = newSession();
  noteSent(session, '7', 'a');
  assert.equal(isOwnCopy(session, '8', 'a'), false);
  assert.equal(isOwnCopy(session, '7', 'b'), false);
  assert.equal(isOwnCopy(session, '7', 'a'), true);
  assert.equal(session.sent?.waiting.size, 0);
  assert.equal(isOwnCopy(session, '7', 'a'), true);
});

test('a message that will not be stored is forgotten: sent by another session, it is delivered', () => {
  const session = newSession();
  noteSent(session, '7', 'a');
  forgetSent(session, '7', 'a');
  assert.equal(isOwnCopy(session, '7', 'a'), false);
});

test('a session that sent nothing uses no memory, and one that sent much remembers a bounded number of messages', () => {
  const session = newSession();
  assert.equal(isOwnCopy(session, '7', 'a'), false);
  assert.deepEqual(session, {});
  for (let i = 0; i < 3000; i++) noteSent(session, '7', `m-${i}`);
  assert.equal(session.sent?.waiting.size, 1024);
  assert.equal(isOwnCopy(session, '7', 'm-0'), false);
  for (let i = 0; i < 3000; i++) isOwnCopy(session, '7', `m-${i}`);
  assert.deepEqual([session.sent?.waiting.size, session.sent?.delivered.size], [0, 64]);
});
