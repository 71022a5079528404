import { createRest, type Session } from '../../../clients/sdk/rest.ts';
import { type ChatSocket, openSocket } from '../../../clients/sdk/socket.ts';
import { friendRequestStatus } from '../../../lib/domain/enumerations.ts';
import type { RepoClient } from '../../../lib/grpc/clients.ts';
import { mapConcurrently } from '../map-concurrently.ts';
import { gatewayUrl, type Person } from './people.ts';

/** Creates guests, who need no password hash, so that hundreds of them are fast. */
export function newGuests(count: number): Promise<Person[]> {
  const rest = createRest(gatewayUrl);
  return mapConcurrently(Array.from({ length: count }), async () => {
    const session = await rest.post<Session>('/auth/guest');
    return { ...session, id: session.user.id, rest: rest.as(session.accessToken) };
  });
}

/** Creates guest accounts without sessions; resolves to their ids. */
export const createGuests = (repo: RepoClient, count: number): Promise<string[]> =>
  mapConcurrently(Array.from({ length: count }), async () => {
    const { user } = await repo.users.createUser({
      username: '',
      password: '',
      avatarUrl: '',
      isGuest: true,
    });
    if (!user) throw new Error('im-repo has created no user');
    return user.id;
  });

/** Sends pings as clients do, so that the gateway does not close the socket during a long wait. */
export function keepAlive<T extends ChatSocket>(socket: T): T {
  const pinging = setInterval(() => socket.send('ping'), 20_000);
  void socket.closed.then(() => clearInterval(pinging));
  return socket;
}

/** Opens one socket per guest. */
export const connectAll = (guests: readonly Person[], url: string): Promise<ChatSocket[]> =>
  mapConcurrently(
    guests,
    async ({ accessToken }) => keepAlive(await openSocket(url, accessToken, () => undefined)),
    50,
  );

/** Makes users friends of one user without the flow, for tests of other things. */
export async function befriendAll(
  repo: RepoClient,
  userId: string,
  friendIds: readonly string[],
): Promise<void> {
  await mapConcurrently(friendIds, async (targetId) => {
    const { request } = await repo.friendships.createFriendRequest({
      requesterId: userId,
      targetId,
      message: '',
      ttlMs: 60_000,
    });
    await repo.friendships.updateFriendRequest({
      requestId: request?.id ?? '',
      actorId: targetId,
      status: friendRequestStatus.accepted,
    });
  });
}
