import assert from 'node:assert/strict';
import { test } from 'node:test';
import type { Code } from '../../../../lib/errors.ts';
import { refusedWith } from '../../../support/refused-with.ts';
import { openMembersRepo } from '../../../support/repo/members-repo.ts';

const { repo, add, remove, change, idsOf, stored } = await openMembersRepo();
type People = [string, string, string, string, string];

test('who may add members', async () => {
  const { owner, admin, bob, eve, id } = await repo.newGroupWithRoles();
  const [one, two, three] = (await repo.newUsers(3)) as People;
  await refusedWith(add(bob, id, [eve]), 'PERMISSION_DENIED');
  await refusedWith(add(bob, id, ['5']), 'PERMISSION_DENIED');
  await refusedWith(add(eve, id, [one]), 'NOT_CONVERSATION_MEMBER');
  await refusedWith(add(owner, '12345', [one]), 'CONVERSATION_NOT_FOUND');
  await add(admin, id, [one]);
  await repo.conversations.updateConversation({ actorId: admin, conversationId: id, inviteBy: 'members' });
  await add(bob, id, [two, three]);
  assert.equal((await stored(id)).count, 7);
});

test('who may remove whom', async () => {
  const { owner, admin, bob, cy, eve, id } = await repo.newGroupWithRoles();
  const denied: [string, string, Code][] = [
    [bob, cy, 'PERMISSION_DENIED'],
    [bob, admin, 'PERMISSION_DENIED'],
    [admin, owner, 'PERMISSION_DENIED'],
    [eve, bob, 'NOT_CONVERSATION_MEMBER'],
    [owner, eve, 'USER_NOT_FOUND'],
    [owner, '7', 'USER_NOT_FOUND'],
    [owner, owner, 'PERMISSION_DENIED'],
  ];
  for (const [actor, target, code] of denied) await refusedWith(remove(actor, id, [target]), code);
  const [second] = (await repo.newUsers(1)) as People;
  await add(owner, id, [second]);
  await change(owner, id, second, { role: 2 });
  await refusedWith(remove(admin, id, [second]), 'PERMISSION_DENIED');
  await refusedWith(remove(admin, id, [bob, second]), 'PERMISSION_DENIED');
  assert.deepEqual(await remove(admin, id, [bob]), { removed: [bob] });
  assert.deepEqual(await remove(cy, id, [cy]), { removed: [cy] });
  await remove(owner, id, [admin, second]);
  assert.deepEqual(await idsOf(id), [owner]);
});

test('an owner without other members dissolves the group by leaving', async () => {
  const [ann, bob] = (await repo.newUsers(2)) as People;
  const id = await repo.newGroup([ann, bob]);
  await assert.rejects(remove(ann, id, [ann]), /[Tt]ransfer/);
  await remove(ann, id, [bob]);
  await remove(ann, id, [ann]);
  await refusedWith(repo.see(ann, id), 'CONVERSATION_NOT_FOUND');
  assert.equal((await repo.eventsOf(id)).at(-1)?.frame, 'conversation-dissolved');
});

test('who may change whom', async () => {
  const { owner, admin, bob, eve, id } = await repo.newGroupWithRoles();
  await refusedWith(change(admin, id, bob, { role: 2 }), 'PERMISSION_DENIED');
  await refusedWith(change(owner, id, bob, { role: 3 }), 'INVALID_ARGUMENT');
  await refusedWith(change(owner, id, bob, { role: 0 }), 'INVALID_ARGUMENT');
  await refusedWith(change(owner, id, owner, { role: 1 }), 'PERMISSION_DENIED');
  await refusedWith(change(owner, id, eve, { role: 2 }), 'USER_NOT_FOUND');
  await refusedWith(change(eve, id, bob, { muted: true }), 'NOT_CONVERSATION_MEMBER');
  await refusedWith(change(bob, id, bob, { muted: false }), 'PERMISSION_DENIED');
  await refusedWith(change(admin, id, owner, { muted: true }), 'PERMISSION_DENIED');
  await repo.list(bob);
  const { member } = await change(admin, id, bob, { muted: true });
  assert.deepEqual([member?.user?.id, member?.role, member?.muted], [bob, 1, true]);
  assert.equal((await repo.list(bob)).conversations[0]?.userMembership?.muted, true);
  await assert.rejects(repo.say(id, bob), /muted/);
  const promoted = await change(owner, id, bob, { role: 2, muted: false });
  assert.deepEqual([promoted.member?.role, promoted.member?.muted], [2, false]);
  const last = (await repo.eventsOf(id)).at(-1);
  assert.deepEqual(
    [last?.type, last?.actor_id, last?.user_ids],
    ['conversation.member.updated', owner, [bob]],
  );
});

test('a new owner has all rights, the old one is an admin', async () => {
  const { owner, admin, bob, eve, id } = await repo.newGroupWithRoles();
  const transfer = (actorId: string, userId: string) =>
    repo.conversations.transferOwnership({ actorId, conversationId: id, userId });
  await refusedWith(transfer(admin, admin), 'PERMISSION_DENIED');
  await refusedWith(transfer(owner, eve), 'USER_NOT_FOUND');
  await refusedWith(transfer(eve, eve), 'NOT_CONVERSATION_MEMBER');
  await repo.list(bob);
  const { conversation } = await transfer(owner, bob);
  assert.deepEqual([conversation?.conversation?.ownerId, conversation?.userMembership?.role], [bob, 2]);
  assert.equal((await repo.see(bob, id)).userMembership?.role, 3);
  const events = await repo.eventsOf(id);
  assert.equal(events.at(-1)?.frame, 'conversation-updated');
  assert.deepEqual(
    events.filter(({ type }) => type === 'conversation.member.updated').map(({ user_ids }) => user_ids),
    [[admin], [owner, bob]],
  );
  await refusedWith(remove(owner, id, [bob]), 'PERMISSION_DENIED');
  await remove(owner, id, [owner]);
});
