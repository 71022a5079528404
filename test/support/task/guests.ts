import assert from 'node:assert/strict';
import type { RepoClient } from '../../../lib/grpc/clients.ts';
import { forEach } from '../people/crowd.ts';

/** New guests, some at a time: im-repo lets nobody wait for a connection longer than 3 s. */
export const createGuests = (repo: RepoClient, count: number): Promise<string[]> =>
  forEach(Array.from({ length: count }), async () => {
    const created = await repo.users.createUser({
      username: '',
      password: '',
      avatarUrl: '',
      isGuest: true,
    });
    return created.user?.id ?? assert.fail('no user was made');
  });
