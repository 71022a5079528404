import assert from 'node:assert/strict';
import { randomUUID } from 'node:crypto';
import { test } from 'node:test';
import { createIdleGuests } from '../../../../services/repo/accounts/idle-guests.ts';
import { refusedWith } from '../../../support/refused-with.ts';
import { password } from '../../../support/repo/accounts-repo.ts';
import { hour, openErasureRepo } from '../../../support/repo/erasure-repo.ts';

const { repo, people, register, signIn, close } = await openErasureRepo();
const idleGuests = createIdleGuests(repo);

async function guestLastSeen(at: number): Promise<string> {
  const id = await repo.newGuest();
  await repo.databases.users.execute('UPDATE users SET last_active_at = ? WHERE id = ?', [at, Number(id)]);
  return id;
}

test('guests who have been idle for long are found, the longest idle first; others are not', async () => {
  const now = Date.now();
  await repo.databases.users.execute('UPDATE users SET last_active_at = ? WHERE is_guest', [now]);
  const idle = [
    await guestLastSeen(5),
    await guestLastSeen(7),
    await guestLastSeen(7),
    await guestLastSeen(9),
  ];
  const online = await guestLastSeen(5);
  const renewed = await guestLastSeen(5);
  const recent = await guestLastSeen(now);
  const registered = await register();
  await repo.databases.users.execute('UPDATE users SET last_active_at = 5 WHERE id = ?', [
    Number(registered.id),
  ]);
  await signIn(renewed);
  const gateway = { gatewayId: 'g', bootId: randomUUID(), pushAddress: '' };
  await repo.presence.renewGateway({ gateway, synced: true });
  await repo.presence.setUserOnline({
    session: { sessionId: randomUUID(), userId: online, connectedAt: now, lastActiveAt: now },
    gatewayId: gateway.gatewayId,
    bootId: gateway.bootId,
  });

  const found: string[] = [];
  let cursor = '';
  do {
    const page = await idleGuests.listIdleGuests({ idleBefore: now - hour, cursor, limit: 2 });
    found.push(...page.userIds);
    cursor = page.nextCursor;
  } while (cursor !== '');
  assert.deepEqual(found, idle);
  assert.ok(!found.includes(recent));

  await refusedWith(
    idleGuests.listIdleGuests({ idleBefore: now, cursor: 'x', limit: 2 }),
    'INVALID_ARGUMENT',
  );
});

test('a guest who returned or registered after being found is not closed', async () => {
  const before = Date.now() - hour;
  const [back, signedIn, upgraded, gone] = await Promise.all([5, 5, 5, 5].map(guestLastSeen));
  assert.ok(back && signedIn && upgraded && gone);
  await repo.databases.users.execute('UPDATE users SET last_active_at = ? WHERE id = ?', [
    Date.now(),
    Number(back),
  ]);
  await signIn(signedIn);
  await people.upgradeGuest({ userId: upgraded, username: 'upgraded', password });
  for (const userId of [back, signedIn, upgraded]) {
    assert.deepEqual(await close(userId, before), { closed: false });
    assert.equal((await people.getUser({ userId })).user?.id, userId);
  }
  assert.deepEqual(await close(gone, before), { closed: true });
  assert.deepEqual(await close(gone, before), { closed: true });
});

test('while presence is unknown, no guest counts as idle', async () => {
  await guestLastSeen(3);
  const lost = createIdleGuests({
    databases: repo.databases,
    presence: repo.presence,
    redis: { isUp: () => false },
  });
  await refusedWith(lost.listIdleGuests({ idleBefore: Date.now(), cursor: '', limit: 0 }), 'UNAVAILABLE');
});
