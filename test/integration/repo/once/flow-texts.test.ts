import assert from 'node:assert/strict';
import { test } from 'node:test';
import { createLogger } from '../../../../lib/log.ts';
import { createUserClosing } from '../../../../services/repo/accounts/user-closing.ts';
import { createFriendRequests } from '../../../../services/repo/friends/friendship-requests.ts';
import { createFlowTexts } from '../../../../services/repo/once/flow-texts.ts';
import { startSweeper } from '../../../../services/repo/sweeper.ts';
import { refusedWith } from '../../../support/refused-with.ts';
import { idOf } from '../../../support/repo/conversation-parts.ts';
import { openConversationRepo } from '../../../support/repo/open-repo.ts';

const day = 24 * 3_600_000;
const nothing = { message: '', name: '', avatarUrl: '', description: '' };

const { repo } = await openConversationRepo();
const texts = createFlowTexts(repo);

const keep = async (userId: string, some: object) =>
  (await texts.keepFlowTexts({ userId, texts: { ...nothing, ...some } })).textsId;
const kept = (userId: string) =>
  repo.databases.users.query('SELECT 1 FROM flow_texts WHERE user_id = ?', [Number(userId)]);

test('texts stored for a flow are saved with the request and the group, also when a step is repeated', async () => {
  const [ann, bob] = [await repo.newGuest(), await repo.newGuest()];
  const requests = createFriendRequests(repo);
  const ask = { requesterId: ann, targetId: bob, message: '', ttlMs: day };
  const textsId = await keep(ann, { message: 'hello ☕' });
  for (let times = 0; times < 2; times += 1) {
    const { request } = await requests.createFriendRequest({ ...ask, textsId });
    assert.equal(request?.message, 'hello ☕');
  }
  const named = await keep(ann, { name: 'tea', avatarUrl: 'https://a.example/b', description: 'about tea' });
  const id = idOf((await repo.createGroup(ann, [], { textsId: named, name: '' })).conversation);
  const { conversation } = await repo.see(ann, id);
  assert.deepEqual(
    [conversation?.name, conversation?.avatarUrl, conversation?.description],
    ['tea', 'https://a.example/b', 'about tea'],
  );
  // Neither another user's texts nor deleted ones are found.
  await refusedWith(repo.createGroup(bob, [], { textsId: named }), 'INVALID_ARGUMENT');
  await refusedWith(repo.createGroup(ann, [], { textsId: '7' }), 'INVALID_ARGUMENT');
});

test('texts stored for a flow are deleted with their user, and after some days', async () => {
  const [ann, bob] = [await repo.newGuest(), await repo.newGuest()];
  await keep(ann, { message: 'a' });
  await keep(bob, { message: 'b' });
  await keep(bob, { message: 'c' });
  await createUserClosing(repo).closeAccount({ userId: ann, idleGuestBefore: 0 });
  assert.deepEqual([(await kept(ann)).length, (await kept(bob)).length], [0, 2]);
  await refusedWith(keep(ann, { message: 'late' }), 'USER_NOT_FOUND');
  await repo.databases.users.execute('UPDATE flow_texts SET created_at = ? WHERE user_id = ? LIMIT 1', [
    Date.now() - 8 * day - 1000,
    Number(bob),
  ]);
  const sweeper = startSweeper({ ...repo, log: createLogger('test', 'silent') });
  await sweeper.sweep();
  await sweeper.stop();
  assert.equal((await kept(bob)).length, 1);
});
