import { createRest, type Session } from '../../../clients/sdk/rest.ts';
import { type ChatSocket, openSocket } from '../../../clients/sdk/socket.ts';
import { friendRequestStatus } from '../../../lib/domain/enumerations.ts';
import type { RepoClient } from '../../../lib/grpc/clients.ts';
import { mapConcurrently } from '../map-concurrently.ts';
import { gatewayUrl, type Person } from './people.ts';

/** New guests: they need no password, so hundreds of them are quick. */
export function newGuests(count: number): Promise<Person[]> {
  const rest = createRest(gatewayUrl);
  return mapConcurrently(Array.from({ length: count }), async () => {
    const session = await rest.post<Session>('/auth/guest');
    return { ...session, id: session.user.id, rest: rest.as(session.accessToken) };
  });
}

/** The ids of new guests who have no session: only their accounts are made. */
export const createGuests = (repo: RepoClient, count: number): Promise<string[]> =>
  mapConcurrently(Array.from({ length: count }), async () => {
    const { user } = await repo.users.createUser({
      username: '',
      password: '',
      avatarUrl: '',
      isGuest: true,
    });
    if (!user) throw new Error('no user was made');
    return user.id;
  });

/** Pings as clients do, so that a long wait is no silence. */
export function keepAlive<T extends ChatSocket>(socket: T): T {
  const pinging = setInterval(() => socket.send('ping'), 20_000);
  void socket.closed.then(() => clearInterval(pinging));
  return socket;
}

/** A socket for each guest. */
export const connectAll = (guests: readonly Person[], url: string): Promise<ChatSocket[]> =>
  mapConcurrently(
    guests,
    async ({ accessToken }) => keepAlive(await openSocket(url, accessToken, () => undefined)),
    50,
  );

/** Makes users somebody's friends past the flow, which is not what is being tested. */
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
