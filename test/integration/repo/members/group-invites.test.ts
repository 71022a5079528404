import assert from 'node:assert/strict';
import { test } from 'node:test';
import { createUserSettings } from '../../../../services/repo/users/user-settings.ts';
import { refusedWith } from '../../../support/refused-with.ts';
import { idOf } from '../../../support/repo/conversation-parts.ts';
import { openConversationRepo } from '../../../support/repo/open-repo.ts';

const { repo } = await openConversationRepo();
const settings = createUserSettings(repo);
type Five = [string, string, string, string, string];
const { addMembers: add, removeMembers: remove, changeMember: change } = repo;
const friendsOnly = (userId: string) => settings.updateUserSettings({ userId, groupInvites: 'friends' });

const isMuted = async (userId: string, conversationId: string) =>
  (await repo.see(userId, conversationId)).userMembership?.muted;

/** A group whose members may invite: an owner, an admin and two plain members; eve is none. */
async function newOpenGroup() {
  const group = await repo.newGroupWithRoles();
  const { owner: actorId, id: conversationId } = group;
  await repo.conversations.updateConversation({ actorId, conversationId, inviteBy: 'members' });
  return group;
}

test('users who accept invitations from friends only are not added by others, whatever the inviter’s role; the other users are added', async () => {
  const { owner, bob, eve, id } = await newOpenGroup();
  const [dan] = (await repo.newUsers(1)) as [string];
  await friendsOnly(eve);
  assert.deepEqual(await add(owner, id, [eve, dan]), { added: [dan], alreadyMembers: [], refused: [eve] });
  assert.deepEqual(await add(owner, id, [eve]), { added: [], alreadyMembers: [], refused: [eve] });
  await refusedWith(repo.see(eve, id), 'NOT_CONVERSATION_MEMBER');
  await repo.befriend(bob, eve);
  assert.deepEqual(await add(bob, id, [eve]), { added: [eve], alreadyMembers: [], refused: [] });
  await friendsOnly(dan);
  assert.deepEqual(await add(owner, id, [dan]), { added: [], alreadyMembers: [dan], refused: [] });
});

test('a new group has the users who may be added, by its creator or by the flow', async () => {
  const { owner, bob, cy, eve } = await newOpenGroup();
  await friendsOnly(cy);
  await friendsOnly(eve);
  await friendsOnly(owner);
  await repo.befriend(owner, cy);
  const created = await repo.createGroup(owner, [bob, cy, eve]);
  assert.deepEqual(created.refused, [eve]);
  assert.equal(created.conversation?.conversation?.memberCount, 3);

  const hidden = await repo.createGroup(owner, [], { activate: false });
  const conversationId = idOf(hidden.conversation);
  const batch = { actorId: '', inviterId: owner, conversationId, userIds: [bob, cy, eve] };
  const answer = await repo.conversations.addConversationMember(batch);
  assert.deepEqual(answer, { added: [bob, cy], alreadyMembers: [], refused: [eve] });
});

test('a refused user takes no place in a group that is nearly full', async () => {
  const [owner, bob, cy] = (await repo.newUsers(3)) as Five;
  const id = await repo.newGroup([owner], { maxMembers: 2 });
  await friendsOnly(bob);
  assert.deepEqual((await add(owner, id, [bob, cy])).added, [cy]);
});

test('a member removed by an admin can be added again only by the owner or an admin, which ends the restriction', async () => {
  const { owner, admin, bob, cy, eve, id } = await newOpenGroup();
  await remove(admin, id, [cy]);
  assert.deepEqual(await add(bob, id, [cy, eve]), { added: [eve], alreadyMembers: [], refused: [cy] });
  assert.deepEqual((await add(admin, id, [cy])).added, [cy]);
  await remove(cy, id, [cy]);
  assert.deepEqual((await add(bob, id, [cy])).added, [cy]);
  await remove(owner, id, [cy]);
  assert.deepEqual((await add(owner, id, [cy])).added, [cy]);
});

test('a mute stays after leaving and removal, and ends when it is lifted', async () => {
  const { owner, admin, bob, cy, id } = await newOpenGroup();
  await change(admin, id, cy, { muted: true });
  await remove(cy, id, [cy]);
  await add(bob, id, [cy]);
  assert.equal(await isMuted(cy, id), true);
  await remove(owner, id, [cy]);
  await add(owner, id, [cy]);
  assert.equal(await isMuted(cy, id), true);
  const told = (await repo.eventsOf(id)).filter(({ frame }) => frame === 'member-added').at(-1);
  const data = told?.data as { members: { id: string; muted: boolean }[] } | undefined;
  assert.deepEqual(
    data?.members.map((member) => [member.id, member.muted]),
    [[cy, true]],
  );
  await change(admin, id, cy, { muted: false });
  await remove(cy, id, [cy]);
  await add(bob, id, [cy]);
  assert.equal(await isMuted(cy, id), false);
  assert.equal(await isMuted(bob, id), false);
});

test('a dissolved group keeps no former members', async () => {
  const { owner, cy, id } = await newOpenGroup();
  await remove(owner, id, [cy]);
  await repo.conversations.dissolveConversation({ actorId: owner, conversationId: id });
  const rows = await repo.databases.conversations.query(
    'SELECT user_id FROM conversation_former_members WHERE conversation_id = ?',
    [Number(id)],
  );
  assert.deepEqual(rows, []);
});
