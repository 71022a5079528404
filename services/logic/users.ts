import type { UserServiceService } from '../../lib/gen/im_logic/v1/user.ts';
import type { RepoClient } from '../../lib/grpc/clients.ts';
import type { UnaryHandlers } from '../../lib/grpc/definition.ts';
import { checkText, checkUserId, invalid, limits, pageSize } from './input.ts';

/** Profiles and search. */
export function createUsers(deps: { users: RepoClient['users'] }): UnaryHandlers<typeof UserServiceService> {
  const { users } = deps;
  return {
    getUser: async ({ userId }) => users.getUser({ userId: checkUserId(userId) }),

    async updateProfile({ userId, avatarUrl, displayName }) {
      checkText('avatarUrl', avatarUrl, limits.avatarUrl);
      checkText('displayName', displayName, limits.displayName, 1);
      return users.updateUser({ userId, avatarUrl, displayName });
    },

    async searchUsers({ query, limit }) {
      if (query === '') throw invalid('q', 'must not be empty');
      checkText('q', query, 100);
      return users.searchUsersByUsername({ query, limit: pageSize(limit, 20, limits.searchResults) });
    },
  };
}
