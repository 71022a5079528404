import assert from 'node:assert/strict';
import { test } from 'node:test';
import { friendRequestStatus } from '../../../lib/domain/enumerations.ts';
import { createExternalIdentities } from '../../../services/repo/accounts/external-identities.ts';
import { createFlowTexts } from '../../../services/repo/once/flow-texts.ts';
import { tableGroups } from '../../../services/repo/storage/table-groups.ts';
import { createConversationParts } from '../../support/repo/conversation-parts.ts';
import { openRepoParts } from '../../support/repo/open-repo.ts';
import type { RepoParts } from '../../support/repo/repo-parts.ts';
import { createUserParts } from '../../support/repo/user-parts.ts';

const { parts } = await openRepoParts();
const password = 'correct horse battery';

/** Every kind of change and read that could concern accounts, conversations and the directory at once. */
async function useEverything(parts: RepoParts): Promise<void> {
  const repo = createConversationParts(parts);
  const users = createUserParts(parts);
  const external = createExternalIdentities(parts);
  const texts = createFlowTexts(parts);

  const keepTexts = (userId: string) =>
    texts.keepFlowTexts({
      userId,
      texts: { message: 'hi', name: 'group', avatarUrl: '', description: '' },
    });

  async function askAndAccept(requesterId: string, targetId: string): Promise<string> {
    const { textsId } = await keepTexts(requesterId);
    const { request } = await users.createFriendRequest({
      requesterId,
      targetId,
      message: '',
      ttlMs: 60_000,
      textsId,
    });
    const requestId = request?.id ?? '';
    await users.updateFriendRequest({ requestId, actorId: targetId, status: friendRequestStatus.accepted });
    return requestId;
  }

  const { user } = await users.createUser({ username: 'ann', password, avatarUrl: '', isGuest: false });
  const ann = user?.id ?? '';
  const [bob, cy] = [await repo.newGuest(), await repo.newGuest()];
  await users.upgradeGuest({ userId: bob, username: 'bob', password });
  await users.getSignInAccount({ username: 'bob', userId: '', address: '127.0.0.1' });
  await users.verifyPassword({ username: 'bob', password });
  await users.searchUsersByUsername({ query: 'b', limit: 10 });
  const identity = { issuer: 'https://issuer.example', subject: 'dora' };
  await external.signInExternal({ ...identity, username: 'dora' });
  const { user: dora } = await external.signInExternal({ ...identity, username: 'dora2' });

  const friendRequestId = await askAndAccept(ann, bob);
  const single = await repo.openSingle(ann, bob, friendRequestId);
  await repo.openSingle(ann, bob, friendRequestId);
  await repo.say(single.conversationId, ann);
  await repo.readTo(bob, single.conversationId, 1);
  await users.getUserFriends({ userId: ann, friendId: '', limit: 10, offset: 0 });
  await users.blockUser({ userId: ann, blockedId: bob });
  await users.unblockUser({ userId: ann, blockedId: bob });
  await askAndAccept(ann, bob);
  await users.deleteFriend({ userId: ann, friendId: bob });
  await askAndAccept(ann, bob);

  const { textsId } = await keepTexts(ann);
  const group = await repo.createGroup(ann, [bob, cy], { textsId });
  await repo.conversations.addConversationMember({
    actorId: ann,
    conversationId: group.conversationId,
    userIds: [dora?.id ?? ''],
    operationId: 'one',
  });
  await repo.say(group.conversationId, ann);
  await repo.readTo(cy, group.conversationId, 1);
  await repo.conversations.getConversationMembers({
    userId: ann,
    conversationId: group.conversationId,
    memberIds: [],
    limit: 10,
    offset: 0,
  });
  await repo.conversations.muteMembers({ conversationId: '1', userIds: [cy], muted: true });
  await repo.list(ann);
  await repo.see(cy, group.conversationId);
  await repo.sync(ann);
  await repo.conversations.reconcileConversations({ afterConversationId: '', limit: 100, mend: true });

  await users.closeAccount({ userId: ann, idleGuestBefore: 0 });
  await users.endRelationships({ userId: ann, limit: 10 });
  await users.eraseRequestTexts({ userId: ann, limit: 10 });
  await repo.conversations.leaveConversations({ userId: ann, limit: 10 });
  await repo.messages.redactMessages({ userId: ann, limit: 10, cursor: '' });
}

test('every table belongs to a group', async () => {
  const rows = await parts.databases.directory.query<{ name: string }>(
    'SELECT table_name AS name FROM information_schema.tables WHERE table_schema = DATABASE()',
  );
  assert.deepEqual(rows.map(({ name }) => name).sort(), Object.keys(tableGroups).sort());
});

test('nothing touches two groups at once', () => useEverything(parts));

for (const layout of ['split', 'sharded'] as const) {
  test(`everything works with databases ${layout}, and each has the rows of its own groups only`, async () => {
    const { parts: apart } = await openRepoParts({ layout });
    await useEverything(apart);
    const { directory, users, shards } = apart.databases;
    const databases = { directory: [directory], accounts: [users], conversations: shards };
    for (const [table, group] of Object.entries(tableGroups)) {
      for (const [name, some] of Object.entries(databases)) {
        if (group === 'each' || name === group) continue;
        for (const database of some) {
          const rows = await database.query(`SELECT * FROM ${table}`);
          assert.ok(rows.length <= (initialRows[table] ?? 0), `${table} has rows in the database of ${name}`);
        }
      }
    }
  });
}

/** The migrations of every database make these rows. */
const initialRows: Readonly<Record<string, number>> = {
  conversations: 1,
  conversation_heads: 1,
  id_workers: 32,
};
