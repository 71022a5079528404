import assert from 'node:assert/strict';
import { test } from 'node:test';
import { createRandom } from '../../../test/support/storm/records/random.ts';
import { createBacklog } from './backlog.ts';

const most = 20_000;

/**
 * A gateway before a store, by its own clock: sends come unevenly at one rate and are acknowledged at another, in their order,
 * none sooner than what the store takes for one, and as many at a time as it stores in `batchMs`.
 */
function scene(store: { perSecond: number; ms: number; batchMs?: number }) {
  const random = createRandom(7);
  let at = 0;
  let due = 0;
  const backlog = createBacklog({ most, now: () => at });
  let waiting: number[] = [];
  const took: number[] = [];
  const sent = { accepted: 0, refused: 0 };

  function acknowledge(): void {
    due = Math.min(due + store.perSecond / 1000, waiting.length);
    if (at % (store.batchMs ?? 1) !== 0) return;
    let done = 0;
    for (const since of waiting) {
      if (done + 1 > due || at - since < store.ms) break;
      done += 1;
      took.push(at - since);
      backlog.note((at - since) / 1000, waiting.length - done);
    }
    waiting = waiting.slice(done);
    due -= done;
  }

  /** Sends at a rate for a while. Answers what became of them, and what the acknowledgements of that time took. */
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
    if (waiting.length >= backlog.most()) {
      backlog.refused();
      sent.refused += 1;
      return;
    }
    sent.accepted += 1;
    waiting.push(at);
  }

  const quantile = (share: number): number => took[Math.floor(took.length * share)] ?? 0;

  return {
    most: backlog.most,
    send,
    /** Sends as many at once; answers how many were refused. */
    burst(sends: number) {
      const before = sent.refused;
      for (let i = 0; i < sends; i += 1) take();
      return sent.refused - before;
    },
    store: (changed: Partial<typeof store>) => Object.assign(store, changed),
  };
}

test('as much as is stored is accepted, whatever memory allows may wait', () => {
  const { most: allowed, send } = scene({ perSecond: 4000, ms: 20 });
  assert.equal(send(3900, 10).refused, 0);
  assert.equal(allowed(), most);
});

test('more than is stored: what is accepted is about what is stored, and stays quick from the first second on', () => {
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

test('so it is where acknowledgements come in batches', () => {
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

test('a little more than is stored is refused only by that little', () => {
  const { send } = scene({ perSecond: 4000, ms: 20 });
  send(2000, 3);
  const { refused, acknowledged } = send(4400, 30);
  assert.ok(acknowledged > 0.97 * 30 * 4000, String(acknowledged));
  assert.ok(refused < 0.12 * 30 * 4400, String(refused));
});

test('once less is sent nothing is refused any more, and a second later all of memory may wait again', () => {
  const { most: allowed, send } = scene({ perSecond: 4000, ms: 20 });
  send(2000, 2);
  send(12_000, 5);
  assert.ok(send(2000, 0.2).refused < 50);
  assert.equal(send(2000, 2).refused, 0);
  assert.equal(allowed(), most);
});

test('a refusal now and then does not make it last', () => {
  const { most: allowed, send, store } = scene({ perSecond: 4000, ms: 20, batchMs: 40 });
  send(2000, 2);
  send(12_000, 5);
  // Every few seconds the store does something else for a moment.
  for (let moment = 0; moment < 10; moment += 1) {
    send(3500, 0.7);
    store({ perSecond: 0 });
    send(3500, 0.1);
    store({ perSecond: 4400 });
  }
  assert.equal(allowed(), most);
});

test('nothing is left of it either where nothing is sent any more', () => {
  const { most: allowed, send, burst } = scene({ perSecond: 4000, ms: 20 });
  send(2000, 2);
  send(12_000, 5);
  send(0, 3);
  assert.equal(allowed(), most);
  assert.equal(burst(3000), 0);
});

test('a burst is taken whole, and restricts nothing that comes after it', () => {
  const { burst, send } = scene({ perSecond: 4000, ms: 20 });
  send(1000, 2);
  assert.equal(burst(3000), 0);
  assert.equal(send(1000, 3).refused, 0);
});

test('a store that stands still for a moment makes up for it without a refusal', () => {
  const { store, send } = scene({ perSecond: 4000, ms: 20 });
  send(2800, 2);
  store({ perSecond: 0 });
  assert.equal(send(2800, 0.6).refused, 0);
  store({ perSecond: 4000 });
  assert.equal(send(2800, 5).refused, 0);
});

test('nor does it matter when it stands still again before it has', () => {
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

test('what gathers while nothing is stored at all is taken whole, and so is what comes until it is stored', () => {
  const { store, send } = scene({ perSecond: 4000, ms: 20 });
  send(1000, 2);
  store({ perSecond: 0 });
  assert.equal(send(1000, 5).refused, 0);
  store({ perSecond: 4000 });
  assert.equal(send(1000, 5).refused, 0);
});

test('few wait without being refused, however slow the store', () => {
  const { send } = scene({ perSecond: 100, ms: 1500 });
  assert.equal(send(99, 20).refused, 0);
});

test('a store that is far away is not taken for one that has too much to do', () => {
  const { store, send } = scene({ perSecond: 10_000, ms: 20 });
  send(500, 3);
  // It moved: from one second to the next everything takes half a second. When more is sent, more waits: like overload.
  store({ ms: 500 });
  send(2000, 3);
  send(4000, 40);
  send(5000, 20);
  // By now it is known.
  const { refused, acknowledged } = send(5000, 10);
  assert.equal(refused, 0);
  assert.ok(acknowledged > 39_000, String(acknowledged));
});
