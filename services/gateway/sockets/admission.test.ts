import assert from 'node:assert/strict';
import { test } from 'node:test';
import type { Session } from '../sessions/session.ts';
import { createAdmission } from './admission.ts';

const session = (userId: string, lastSeenAt: number) => ({ userId, lastSeenAt }) as Session;

function admission(limits: { all?: number; perAddress?: number; perUser?: number }) {
  const clock = { now: 100_000 };
  const open: Session[] = [];
  const closed: [Session, string][] = [];
  const sessions = {
    ofUser: (userId: string) => open.filter((one) => one.userId === userId),
    close(one: Session, cause: string) {
      open.splice(open.indexOf(one), 1);
      closed.push([one, cause]);
    },
  };
  const all = { all: 1000, perAddress: 0, perUser: 0, ...limits };
  return { clock, open, closed, ...createAdmission(sessions, all, () => clock.now) };
}

test('beyond the limit of a user, the longest silent socket is closed if it was silent for over 35 s; else the new one is refused', () => {
  const { clock, open, closed, reserve } = admission({ perUser: 3 });
  const [a, b, c] = [session('1', 99_000), session('1', 65_000), session('1', 100_000)];
  open.push(a, b, c, session('2', 0));
  assert.throws(() => reserve('192.0.2.1').admit('1'), { code: 'RATE_LIMITED' });
  assert.deepEqual(closed, []);
  clock.now += 1;
  reserve('192.0.2.1').admit('1');
  assert.deepEqual(closed, [[b, 'replaced']]);
  reserve('192.0.2.1').admit('1');
  assert.equal(closed.length, 1);
});

test('the places per address are limited, over all users; a released place can be reserved again', () => {
  const { reserve } = admission({ perAddress: 2 });
  const place = reserve('192.0.2.1');
  reserve('::ffff:192.0.2.1');
  assert.throws(() => reserve('192.0.2.1'), { code: 'RATE_LIMITED' });
  reserve('192.0.2.2');
  place.release();
  place.release();
  reserve('192.0.2.1');
  assert.throws(() => reserve('192.0.2.1'), { code: 'RATE_LIMITED' });
  // The addresses of one IPv6 network (/64) count as one address.
  reserve('2001:db8::1');
  reserve('2001:db8::2');
  assert.throws(() => reserve('2001:db8::3'), { code: 'RATE_LIMITED' });
});

test('a full gateway refuses with UNAVAILABLE, and 0 means no limit per user and address', () => {
  const { reserve, open } = admission({ all: 50 });
  for (let i = 0; i < 50; i++) {
    open.push(session('1', 100_000));
    reserve('192.0.2.1').admit('1');
  }
  assert.throws(() => reserve('192.0.2.2'), { code: 'UNAVAILABLE' });
});
