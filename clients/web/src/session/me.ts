import type { User } from '@gochat/sdk';
import { useClient } from '@gochat/sdk/react';
import { useSyncExternalStore } from 'react';
import { account } from './account.ts';

/** The signed-in user. Before the storage was read it is the user as of the sign-in. */
export function useMe(): User {
  const { me } = useClient();
  const user = useSyncExternalStore(me.subscribe, me.get) ?? account.get()?.user;
  return user ?? nobody;
}

const nobody: User = { id: '', username: '', displayName: '', avatarUrl: '', isGuest: false, createdAt: 0 };
