import assert from 'node:assert/strict';
import { test } from 'node:test';
import { checkHeldMessages, checkSendOrder, checkSocket, checkStored } from './checks.ts';
import { createFindings } from './records/findings.ts';
import { createHeldMessages } from './records/held-messages.ts';
import { createLedger, type Ledger } from './records/ledger.ts';
import { createSocketLog, noteArrival } from './records/socket-log.ts';
import type { StoredMessage, StoredState } from './stored-state.ts';

const conversation = { id: 'c', kind: 'pair' as const, members: [], head: 0 };

/** Messages of one device over one socket, all stored and acknowledged. */
function talk(count: number): { ledger: Ledger; stored: StoredMessage[] } {
  const ledger = createLedger('t');
  const stored = Array.from({ length: count }, (_, index) => {
    const sent = ledger.enter({ conversationId: 'c', senderId: '7', device: 'ann' });
    const [seqId, messageId] = [index + 1, 100 + index];
    sent.attempts.push({ socket: 1, at: index });
    sent.acks.push({ seqId, messageId, duplicate: false, socket: 1, at: index });
    return { seqId, messageId, senderId: '7', clientMsgId: sent.clientMsgId, content: sent.content };
  });
  return { ledger, stored };
}

function stateOf(stored: StoredMessage[]): StoredState {
  const last = stored.at(-1);
  return {
    stored,
    bySeq: new Map(stored.map((message) => [message.seqId, message])),
    head: { seqId: last?.seqId ?? 0, messageId: last?.messageId ?? 0 },
    lastMessageId: last?.messageId ?? 0,
    readPointers: new Map(),
  };
}

function foundIn(ledger: Ledger, state: StoredState): string {
  const findings = createFindings();
  checkStored(ledger, [conversation], new Map([['c', state]]), findings);
  checkSendOrder(ledger, findings);
  return String(findings);
}

/** The findings about a socket that received these of five seq ids. */
function foundOnSocket(
  arrivals: number[],
  more: { syncedTo?: number; closed?: true; own?: number } = {},
): string {
  const { stored } = talk(5);
  const log = createSocketLog({ number: 1, device: 'bob', userId: '8', gateway: 'g' });
  log.syncedTo.set('c', more.syncedTo ?? 0);
  if (more.closed) log.closedAt = 1;
  for (const seqId of arrivals) noteArrival(log, 'c', seqId);
  const findings = createFindings();
  checkSocket(log, {
    states: new Map([['c', stateOf(stored)]]),
    isOwn: (clientMsgId) => clientMsgId === `t-${more.own}`,
    left: new Set(),
    findings,
  });
  return String(findings);
}

test('a book that agrees with the database is good', () => {
  const { ledger, stored } = talk(3);
  assert.equal(foundIn(ledger, stateOf(stored)), '');
});

test('an acknowledged message that is not stored is found', () => {
  const { ledger, stored } = talk(3);
  assert.match(
    foundIn(ledger, stateOf(stored.slice(0, 2))),
    /what was acknowledged is stored \(1\):\n {2}t-3 /,
  );
});

test('a message that is stored twice is found', () => {
  const { ledger, stored } = talk(2);
  const again = { ...stored[1], seqId: 3, messageId: 300 } as StoredMessage;
  assert.match(
    foundIn(ledger, stateOf([...stored, again])),
    /a message is stored once \(1\):\n {2}c\/3 \(t-2\)/,
  );
});

test('a gap in the seq ids is found', () => {
  const { ledger, stored } = talk(3);
  assert.match(foundIn(ledger, stateOf(stored.toSpliced(1, 1))), /seq ids have no gap \(1\):\n {2}c\/3/);
});

test('a head that is not the last message is found', () => {
  const { ledger, stored } = talk(3);
  const wrong = { ...stateOf(stored), head: { seqId: 2, messageId: 101 } };
  assert.match(foundIn(ledger, wrong), /heads are the truth \(2\)/);
});

test('a changed content and an unsent message are found', () => {
  const { ledger, stored } = talk(2);
  const [first, second] = stored as [StoredMessage, StoredMessage];
  const found = foundIn(
    ledger,
    stateOf([
      { ...first, content: 'x' },
      { ...second, clientMsgId: 'y' },
    ]),
  );
  assert.match(found, /what is stored is what was sent \(2\)/);
});

test('a message that was never acknowledged is found', () => {
  const { ledger, stored } = talk(2);
  ledger.find('t-2')?.acks.pop();
  assert.match(foundIn(ledger, stateOf(stored)), /every message is acknowledged in the end \(1\):\n {2}t-2/);
});

test('messages of one session in a wrong order are found, except repeated ones', () => {
  const { ledger, stored } = talk(3);
  const [first, second, third] = stored as [StoredMessage, StoredMessage, StoredMessage];
  ledger.find('t-2')?.acks.splice(0, 1, { ...third, duplicate: false, socket: 1, at: 1 });
  ledger.find('t-3')?.acks.splice(0, 1, { ...second, duplicate: false, socket: 1, at: 1 });
  const state = stateOf([
    first,
    { ...third, seqId: 2, messageId: 101 },
    { ...second, seqId: 3, messageId: 102 },
  ]);
  assert.match(foundIn(ledger, state), /in the order sent \(1\):\n {2}socket 1 to c: t-3 is 2 after 3/);
  ledger.find('t-2')?.attempts.push({ socket: 1, at: 9 });
  assert.equal(foundIn(ledger, state), '');
});

test('a socket that was given everything in order is good, also if some of it comes again', () => {
  assert.equal(foundOnSocket([1, 2, 3, 4, 5]), '');
  assert.equal(foundOnSocket([1, 2, 3, 2, 3, 4, 5]), '');
  assert.equal(foundOnSocket([3, 4, 5], { syncedTo: 2 }), '');
  assert.equal(foundOnSocket([1, 2, 3], { closed: true }), '');
  assert.equal(foundOnSocket([1, 2, 4, 5], { own: 3 }), '');
});

test('a message that arrives out of order over a socket is found', () => {
  assert.match(
    foundOnSocket([1, 3, 2, 4, 5]),
    /in the order of their seq ids \(1\):\n {2}socket 1 of bob at g: c\/2 after 3/,
  );
});

test('a message missing on an open socket is found, in the middle and at the end', () => {
  assert.match(
    foundOnSocket([1, 2, 4, 5]),
    /an open socket misses nothing \(1\):.*\n.*c\/3 \(t-3\) never came; 5 did/,
  );
  assert.match(foundOnSocket([1, 2, 3]), /an open socket misses nothing \(2\)/);
  assert.match(foundOnSocket([1, 3], { closed: true }), /an open socket misses nothing \(1\)/);
});

test('a device that lacks a message, or has one that is not stored, is found', () => {
  const { stored } = talk(3);
  const store = createHeldMessages();
  store.startAt('c', 0);
  for (const { seqId, messageId, clientMsgId } of stored.slice(0, 2)) {
    assert.equal(store.keep('c', seqId, { messageId, clientMsgId }), true);
  }
  assert.equal(store.edge('c'), 2);
  assert.equal(store.keep('c', 2, { messageId: 999, clientMsgId: 't-2' }), false);
  store.keep('c', 9, { messageId: 900, clientMsgId: 't-9' });
  const findings = createFindings();
  checkHeldMessages({ name: 'bob', store, left: new Set() }, new Map([['c', stateOf(stored)]]), findings);
  assert.match(String(findings), /expected is received \(1\):\n {2}bob lacks c\/3 \(t-3\)/);
  assert.match(String(findings), /received is stored \(1\):\n {2}bob holds c\/9/);
});
