import assert from 'node:assert/strict';
import { test } from 'node:test';
import { forgetSent, isOwnCopy, noteSent, type SentMessages } from './sent-messages.ts';

const newSession = (): { sent?: SentMessages } => ({});

test('a session knows what it sent, also when it is delivered a second time', () => {
  const session = newSession();
  noteSent(session, '7', 'a');
  assert.equal(isOwnCopy(session, '8', 'a'), false);
  assert.equal(isOwnCopy(session, '7', 'b'), false);
  assert.equal(isOwnCopy(session, '7', 'a'), true);
  assert.equal(session.sent?.waiting.size, 0);
  assert.equal(isOwnCopy(session, '7', 'a'), true);
});

test('what will not be stored is forgotten: sent elsewhere, it is somebody else’s', () => {
  const session = newSession();
  noteSent(session, '7', 'a');
  forgetSent(session, '7', 'a');
  assert.equal(isOwnCopy(session, '7', 'a'), false);
});

test('a session that sent nothing holds nothing, and one that sent much a bounded number', () => {
  const session = newSession();
  assert.equal(isOwnCopy(session, '7', 'a'), false);
  assert.deepEqual(session, {});
  for (let i = 0; i < 3000; i++) noteSent(session, '7', `m-${i}`);
  assert.equal(session.sent?.waiting.size, 1024);
  assert.equal(isOwnCopy(session, '7', 'm-0'), false);
  for (let i = 0; i < 3000; i++) isOwnCopy(session, '7', `m-${i}`);
  assert.deepEqual([session.sent?.waiting.size, session.sent?.delivered.size], [0, 64]);
});
