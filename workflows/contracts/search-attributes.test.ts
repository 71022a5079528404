import assert from 'node:assert/strict';
import { test } from 'node:test';
import { changeMembersStart } from '../change-members/contract.ts';
import { confirmOfflineStart } from '../confirm-offline/contract.ts';
import { createGroupStart } from '../create-group/contract.ts';
import { eraseUserStart } from '../erase-user/contract.ts';
import { friendRequestStart } from '../friend-request/contract.ts';

const many = Array.from({ length: 1000 }, (_, index) => String(1000 + index));
const group = { conversationId: '9', name: '', avatarUrl: '', description: '', maxMembers: 2000 };
const change = { conversationId: '9', key: 'k', actorId: '5' };
const leaver = (userId: string) => ({ userId, epoch: 'e', lastActiveAt: 0 });
const leaving = { users: many.map(leaver), disconnectedAt: 0, confirmMs: 0 };

test('a flow has its users as search attributes: the acting user first, then the others in order, each once, at most 50', () => {
  const decision = { attempt: 'a', requestId: 'r', actorId: '12', action: 'accept' } as const;
  const asked = friendRequestStart(['12', '7'], { update: 'decide', input: decision });
  assert.deepEqual(asked.searchAttributes.UserIds, ['12', '7']);

  const first50 = ['5', ...many.slice(0, 49)];
  const made = createGroupStart({ ...group, ownerId: '5', memberIds: many });
  assert.deepEqual(made.searchAttributes.UserIds, first50);
  const added = changeMembersStart({ ...change, change: { kind: 'add', userIds: many } });
  assert.deepEqual(added.searchAttributes.UserIds, first50);
  const left = changeMembersStart({ ...change, change: { kind: 'remove', userIds: ['5'] } });
  assert.deepEqual(left.searchAttributes.UserIds, ['5']);
  const given = changeMembersStart({ ...change, change: { kind: 'transfer', userId: '6' } });
  assert.deepEqual(given.searchAttributes.UserIds, ['5', '6']);
  const dissolved = changeMembersStart({ ...change, change: { kind: 'dissolve' } });
  assert.deepEqual(dissolved.searchAttributes.UserIds, ['5']);

  const place = { partition: 0, offset: '1', timestamp: '2' };
  assert.deepEqual(confirmOfflineStart(place, leaving).searchAttributes.UserIds, many.slice(0, 50));
  assert.deepEqual(eraseUserStart('5').searchAttributes.UserIds, ['5']);
});
