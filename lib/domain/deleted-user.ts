import type { User } from '../gen/im_repo/v1/user.ts';

/** The placeholder profile of an account that was erased. */
export const deletedUser = (id: string): User => ({
  id,
  username: 'deleted-user',
  displayName: 'deleted user',
  avatarUrl: '',
  isGuest: false,
  createdAt: 0,
});
