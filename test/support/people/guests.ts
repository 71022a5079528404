import { createRest, type Session } from '../../../clients/sdk/rest.ts';
import type { RepoClient } from '../../../lib/grpc/clients.ts';
import { forEach } from './crowd.ts';
import { gatewayUrl, type Person } from './people.ts';

/** People without a password, who cost the system little. */
export function guestPeople(count: number): Promise<Person[]> {
  const rest = createRest(gatewayUrl);
  return forEach(Array.from({ length: count }), async () => {
    const session = await rest.post<Session>('/auth/guest');
    return { ...session, id: session.user.id, rest: rest.as(session.accessToken) };
  });
}

/** The ids of people who never come: only their accounts are made. */
export const absentPeople = (repo: RepoClient, count: number): Promise<string[]> =>
  forEach(Array.from({ length: count }), async () => {
    const { user } = await repo.users.createUser({
      username: '',
      password: '',
      avatarUrl: '',
      isGuest: true,
    });
    if (!user) throw new Error('no user was made');
    return user.id;
  });
