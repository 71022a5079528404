import { createPasswords, type Passwords } from '../../../services/repo/accounts/password.ts';
import { createUserAccounts } from '../../../services/repo/accounts/user-accounts.ts';
import { createUserClosing } from '../../../services/repo/accounts/user-closing.ts';
import { createBlocks } from '../../../services/repo/friends/blocks.ts';
import { createFriendRequests } from '../../../services/repo/friends/friendship-requests.ts';
import { createFriendships } from '../../../services/repo/friends/friendships.ts';
import { createRelationshipsEnd } from '../../../services/repo/friends/relationships-end.ts';
import { createRequestTexts } from '../../../services/repo/friends/request-texts.ts';
import { createSessionRevocations } from '../../../services/repo/sessions/session-revocations.ts';
import { createUserSessions } from '../../../services/repo/sessions/user-sessions.ts';
import { createUserProfiles } from '../../../services/repo/users/user-profiles.ts';
import { createUserSettings } from '../../../services/repo/users/user-settings.ts';
import type { RepoParts } from './repo-parts.ts';

type Presence = Parameters<typeof createFriendships>[0]['presence'];

const nobodyOnline: Presence = { batchGetOnlineStatus: async () => ({ statuses: [] }) };

/** Repo's handlers for users, their sessions and their relationships. `presence` knows who is online. */
export const createUserParts = (
  parts: RepoParts & { passwords?: Passwords },
  presence: Presence = nobodyOnline,
) => ({
  ...createUserAccounts({ ...parts, passwords: parts.passwords ?? createPasswords() }),
  ...createUserProfiles(parts),
  ...createUserSettings(parts),
  ...createUserSessions(parts),
  ...createSessionRevocations(parts),
  ...createUserClosing(parts),
  ...createFriendRequests(parts),
  ...createFriendships({ ...parts, presence }),
  ...createBlocks(parts),
  ...createRelationshipsEnd(parts),
  ...createRequestTexts(parts),
});
