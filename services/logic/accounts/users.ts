import { checkUserId } from '../../../lib/domain/id-checks.ts';
import { limits } from '../../../lib/domain/limits.ts';
import { pageSize } from '../../../lib/domain/paging.ts';
import { invalid } from '../../../lib/domain/refusals.ts';
import { groupInviteChoices, lastSeenChoices, seesPresence } from '../../../lib/domain/user-settings.ts';
import { codeOf, GoChatError, isRetryable } from '../../../lib/errors.ts';
import type { UserServiceService } from '../../../lib/gen/im_logic/v1/user.ts';
import type { UserSettings } from '../../../lib/gen/im_repo/v1/user.ts';
import type { RepoClient } from '../../../lib/grpc/clients.ts';
import type { UnaryHandlers } from '../../../lib/grpc/definition.ts';
import type { Flows } from '../flows/flows.ts';
import { checkLocale, checkName, checkOneOf, checkPicture, checkText, ifGiven } from '../input/input.ts';
import { hashable, passwordDeadline } from './auth.ts';

/** The handlers of UserService: profiles, settings, search, and the deletion of an account. */
export function createUsers(deps: {
  repo: Pick<RepoClient, 'users' | 'presence' | 'friendships'>;
  flows: Pick<Flows, 'eraseUser'>;
}): UnaryHandlers<typeof UserServiceService> {
  const { repo, flows } = deps;
  const { users } = repo;

  /** Rejects with PERMISSION_DENIED if the account has a password and `password` is wrong. */
  async function checkPassword(userId: string, password = '', address = ''): Promise<void> {
    const checked = { userId, username: '', password: hashable(password), address };
    const { valid, withoutPassword } = await users.verifyPassword(checked, passwordDeadline);
    if (!valid && !withoutPassword) throw new GoChatError('PERMISSION_DENIED', 'The password is wrong.');
  }

  /** The presence of a user who shows it to everyone; undefined if the user does not, or if one blocked the other. */
  async function presenceFor(viewerId: string, settings: UserSettings | undefined) {
    if (!settings || !seesPresence(settings.lastSeen, false)) return undefined;
    const { userId } = settings;
    const [{ status }, { relationships }] = await Promise.all([
      repo.presence.getUserOnlineStatus({ userId }),
      repo.friendships.getRelationships({ userId: viewerId, otherUserIds: [userId] }),
    ]);
    if (relationships.some(({ blocking, blockedBy }) => blocking || blockedBy)) return undefined;
    return { online: status?.online ?? false, lastActiveAt: status?.lastActiveAt ?? 0 };
  }

  return {
    async getUser({ userId, viewerId }) {
      if (viewerId === undefined) return users.getUser({ userId: checkUserId(userId) });
      const [{ user }, { settings }] = await Promise.all([
        users.getUser({ userId: checkUserId(userId) }),
        users.getUserSettings({ userIds: [userId] }),
      ]);
      return { user, presence: await presenceFor(viewerId, settings[0]) };
    },

    async updateProfile({ userId, avatarUrl, displayName }) {
      return users.updateUser({
        userId,
        avatarUrl: ifGiven(avatarUrl, (address) => checkPicture('avatarUrl', address)),
        displayName: ifGiven(displayName, (name) => checkName('displayName', name, limits.displayName)),
      });
    },

    async getSettings({ userId }) {
      const { settings } = await users.getUserSettings({ userIds: [checkUserId(userId)] });
      return { settings: settings[0] };
    },

    async updateSettings({ userId, groupInvites, lastSeen, readReceipts, locale }) {
      checkOneOf('groupInvites', groupInvites, groupInviteChoices);
      checkOneOf('lastSeen', lastSeen, lastSeenChoices);
      return users.updateUserSettings({
        userId: checkUserId(userId),
        groupInvites,
        lastSeen,
        readReceipts,
        locale: checkLocale(locale),
      });
    },

    async searchUsers({ query, limit }) {
      if (query === '') throw invalid('q', 'must not be empty');
      checkText('q', query, limits.searchText);
      return users.searchUsersByUsername({ query, limit: pageSize(limit, limits.searchResults) });
    },

    async deleteAccount({ userId, password, address, redactMessages = true }) {
      await checkPassword(checkUserId(userId), password, address);
      await flows.eraseUser(userId, redactMessages);
      // This is the first step of the flow, done here so that the user is signed out before the answer. If it fails,
      // the flow repeats it.
      await users.closeAccount({ userId, idleGuestBefore: 0 }).catch((error: unknown) => {
        if (!isRetryable(codeOf(error))) throw error;
      });
      return {};
    },
  };
}
