import assert from 'node:assert/strict';
import { test } from 'node:test';
import { createFrameRate } from './frame-rate.ts';
import { createUserFrameRate } from './user-frame-rate.ts';

function users(maxGone?: number) {
  const clock = { now: 0 };
  const now = () => clock.now;
  const rate = createFrameRate(200, now);
  const ofUsers = createUserFrameRate(rate, { now, ...(maxGone === undefined ? {} : { maxGone }) });
  const passing = (allowance: ReturnType<typeof ofUsers.join>, frames: number) =>
    Array.from({ length: frames }, () => rate.judge(allowance)).filter((verdict) => verdict === 'pass')
      .length;
  return { clock, ofUsers, passing };
}

test('all sessions of a user share one allowance, and another user has its own', () => {
  const { ofUsers, passing } = users();
  const [one, two, other] = [ofUsers.join('1'), ofUsers.join('1'), ofUsers.join('2')];
  assert.deepEqual([passing(one, 500), passing(two, 500), passing(other, 500)], [500, 300, 500]);
});

test('a reconnect gives a user no new allowance', () => {
  const { clock, ofUsers, passing } = users();
  passing(ofUsers.join('1'), 800);
  ofUsers.leave('1');
  assert.equal(passing(ofUsers.join('1'), 10), 0);
  clock.now += 1000;
  assert.equal(passing(ofUsers.join('1'), 500), 200);
});

test('a user without sessions is forgotten after a minute, or if there are too many', () => {
  const { clock, ofUsers } = users(10);
  for (let user = 0; user < 50; user++) {
    ofUsers.join(`${user}`);
    ofUsers.leave(`${user}`);
  }
  assert.equal(ofUsers.size(), 10);
  clock.now += 60_000;
  ofUsers.join('x');
  ofUsers.leave('x');
  assert.equal(ofUsers.size(), 1);
});
