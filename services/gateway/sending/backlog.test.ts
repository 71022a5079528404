import assert from 'node:assert/strict';
import { test } from 'node:test';
import { createRandom } from '../../../bench/measure/random.ts';
import { createBacklog } from './backlog.ts';

const max = 20_000;

/**
 * Simulates a gateway and a store with its own clock. Sends arrive at random around one rate, and are acknowledged in order
 * at another: none sooner than `ms` after its send, and in batches of what the store can store in `batchMs`.
 */
function scene(store: { perSecond: number; ms: number; batchMs?: number }) {
  const random = createRandom(7);
  let at = 0;
  let due = 0;
  const backlog = createBacklog({ max, now: () => at });
  /** The times of all sends; those before the index `stored` are acknowledged. */
  const sends: number[] = [];
  let stored = 0;
  const took: number[] = [];
  const sent = { accepted: 0, refused: 0 };

  const waiting = () => sends.length - stored;

  function acknowledge(): void {
    due = Math.min(due + store.perSecond / 1000, waiting());
    if (at % (store.batchMs ?? 1) !== 0) return;
    for (; due >= 1; due -= 1) {
      const since = sends[stored];
      if (since === undefined || at - since < store.ms) return;
      stored += 1;
      took.push(at - since);
      backlog.note((at - since) / 1000, waiting());
    }
  }

  /** Sends at a rate for a while. Returns the accepted, refused and acknowledged sends, and quantiles of the ack times. */
  function send(perSecond: number, seconds: number) {
    took.length = 0;
    Object.assign(sent, { accepted: 0, refused: 0 });
    let toSend = 0;
    for (const until = at + seconds * 1000; at < until; at += 1) {
      for (toSend += (perSecond / 1000) * 2 * random.next(); toSend >= 1; toSend -= 1) take();
      acknowledge();
    }
    took.sort((a, b) => a - b);
    return { ...sent, acknowledged: took.length, p50: quantile(0.5), p99: quantile(0.99) };
  }

  function take(): void {
    if (waiting() >= backlog.limit()) {
      backlog.refused();
      sent.refused += 1;
      return;
    }
    sent.accepted += 1;
    sends.push(at);
  }

  const quantile = (share: number): number => took[Math.floor(took.length * share)] ?? 0;

  return {
    limit: backlog.limit,
    send,
    /** Sends this many messages at once. Returns how many were refused. */
    burst(sends: number) {
      const before = sent.refused;
      for (let i = 0; i < sends; i += 1) take();
      return sent.refused - before;
    },
    store: (changed: Partial<typeof store>) => Object.assign(store, changed),
  };
}

test('sends at the rate of storing are all accepted, and as many may wait as memory allows', () => {
  const { limit, send } = scene({ perSecond: 4000, ms: 20 });
  assert.equal(send(3900, 10).refused, 0);
  assert.equal(limit(), max);
});

test('in overload about as many sends are accepted as are stored, and they stay quick from the first second on', () => {
  for (const perSecond of [2500, 4000, 9000]) {
    const { send } = scene({ perSecond, ms: 20 });
    send(perSecond / 2, 3);
    const first = send(3 * perSecond, 1);
    assert.ok(first.p99 < 450, `${perSecond}: first p99 ${first.p99}`);
    const overload = send(3 * perSecond, 30);
    assert.ok(overload.p99 < 150, `${perSecond}: p99 ${overload.p99}`);
    assert.ok(overload.acknowledged > 0.9 * 30 * perSecond, `${perSecond}: ${overload.acknowledged}`);
    assert.ok(overload.refused > 1.8 * 30 * perSecond, `${perSecond}: ${overload.refused}`);
  }
});

test('accepted sends stay quick in overload, too, if acknowledgements come in batches', () => {
  for (const batchMs of [40, 120, 300]) {
    const { send } = scene({ perSecond: 5000, ms: 20, batchMs });
    assert.equal(send(4000, 5).refused, 0);
    send(15_000, 5);
    const overload = send(15_000, 30);
    const bearable = Math.max(210, 3 * (20 + batchMs));
    assert.ok(overload.p99 < bearable, `p99 ${overload.p99} in batches of ${batchMs} ms`);
    assert.ok(
      overload.acknowledged > 0.6 * 30 * 5000,
      `${overload.acknowledged} in batches of ${batchMs} ms`,
    );
  }
});

test('a small overload refuses only the small excess', () => {
  const { send } = scene({ perSecond: 4000, ms: 20 });
  send(2000, 3);
  const { refused, acknowledged } = send(4400, 30);
  assert.ok(acknowledged > 0.97 * 30 * 4000, String(acknowledged));
  assert.ok(refused < 0.12 * 30 * 4400, String(refused));
});

test('after overload nothing is refused any more, and a second later as many may wait as memory allows', () => {
  const { limit, send } = scene({ perSecond: 4000, ms: 20 });
  send(2000, 2);
  send(12_000, 5);
  assert.ok(send(2000, 0.2).refused < 50);
  assert.equal(send(2000, 2).refused, 0);
  assert.equal(limit(), max);
});

test('occasional refusals do not prolong overload', () => {
  const { limit, send, store } = scene({ perSecond: 4000, ms: 20, batchMs: 40 });
  send(2000, 2);
  send(12_000, 5);
  // The store stands still for 0.1 s again and again.
  for (let moment = 0; moment < 10; moment += 1) {
    send(3500, 0.7);
    store({ perSecond: 0 });
    send(3500, 0.1);
    store({ perSecond: 4400 });
  }
  assert.equal(limit(), max);
});

test('overload also ends if nothing is sent any more', () => {
  const { limit, send, burst } = scene({ perSecond: 4000, ms: 20 });
  send(2000, 2);
  send(12_000, 5);
  send(0, 3);
  assert.equal(limit(), max);
  assert.equal(burst(3000), 0);
});

test('a burst is accepted completely, and causes no refusals afterwards', () => {
  const { burst, send } = scene({ perSecond: 4000, ms: 20 });
  send(1000, 2);
  assert.equal(burst(3000), 0);
  assert.equal(send(1000, 3).refused, 0);
});

test('a short pause of the store causes no refusal', () => {
  const { store, send } = scene({ perSecond: 4000, ms: 20 });
  send(2800, 2);
  store({ perSecond: 0 });
  assert.equal(send(2800, 0.6).refused, 0);
  store({ perSecond: 4000 });
  assert.equal(send(2800, 5).refused, 0);
});

test('a second pause before the store has caught up causes no refusal either', () => {
  for (const second of [0.4, 1]) {
    const { store, send } = scene({ perSecond: 4000, ms: 20 });
    send(2800, 2);
    for (const seconds of [0.3, second]) {
      store({ perSecond: 0 });
      assert.equal(send(2800, seconds).refused, 0);
      store({ perSecond: 4000 });
      assert.equal(send(2800, 0.05).refused, 0);
    }
    assert.equal(send(2800, 5).refused, 0, `${second} s`);
  }
});

test('all sends are accepted during a long pause, and until the store has caught up', () => {
  const { store, send } = scene({ perSecond: 4000, ms: 20 });
  send(1000, 2);
  store({ perSecond: 0 });
  assert.equal(send(1000, 5).refused, 0);
  store({ perSecond: 4000 });
  assert.equal(send(1000, 5).refused, 0);
});

test('a short queue is never refused, however slow the store is', () => {
  const { send } = scene({ perSecond: 100, ms: 1500 });
  assert.equal(send(99, 20).refused, 0);
});

test('a store with a high latency is not mistaken for an overloaded one', () => {
  const { store, send } = scene({ perSecond: 10_000, ms: 20 });
  send(500, 3);
  // From now on the store takes half a second, as if it had moved far away. More sends mean a longer queue, like overload.
  store({ ms: 500 });
  send(2000, 3);
  send(4000, 40);
  send(5000, 20);
  // By now the backlog has learnt the unqueued time.
  const { refused, acknowledged } = send(5000, 10);
  assert.equal(refused, 0);
  assert.ok(acknowledged > 39_000, String(acknowledged));
});
