import { createRest, type Session } from '../../../clients/sdk/rest.ts';
import { type ChatSocket, openSocket } from '../../../clients/sdk/socket.ts';
import type { RepoClient } from '../../../lib/grpc/clients.ts';
import { gatewayUrl } from './people.ts';

export type Guest = { id: string; accessToken: string };

const atOnce = 25;

/** Does something for each, a few at a time, and answers in their order. */
export async function forEach<T, R>(
  items: readonly T[],
  work: (item: T) => Promise<R>,
  limit = atOnce,
): Promise<R[]> {
  const results: R[] = new Array(items.length);
  let next = 0;
  const worker = async () => {
    for (let index = next++; index < items.length; index = next++) {
      results[index] = await work(items[index] as T);
    }
  };
  await Promise.all(Array.from({ length: Math.min(limit, items.length) }, worker));
  return results;
}

/** New guests: they need no password, so hundreds of them are quick. */
export function newGuests(count: number): Promise<Guest[]> {
  const rest = createRest(gatewayUrl);
  return forEach(Array.from({ length: count }), async () => {
    const { user, accessToken } = await rest.post<Session>('/auth/guest');
    return { id: user.id, accessToken };
  });
}

/** Pings as clients do, so that a long wait is no silence. */
export function stayAlive<T extends ChatSocket>(socket: T): T {
  const pinging = setInterval(() => socket.send('ping'), 20_000);
  void socket.closed.then(() => clearInterval(pinging));
  return socket;
}

/** A socket for each guest. */
export const connectAll = (guests: readonly Guest[], url: string): Promise<ChatSocket[]> =>
  forEach(
    guests,
    async ({ accessToken }) => stayAlive(await openSocket(url, accessToken, () => undefined)),
    50,
  );

/** Makes users somebody's friends past the flow, which is not what is being tested. */
export async function befriendAll(
  repo: RepoClient,
  userId: string,
  friendIds: readonly string[],
): Promise<void> {
  await forEach(friendIds, async (targetId) => {
    const { request } = await repo.friendships.createFriendRequest({
      requesterId: userId,
      targetId,
      message: '',
      ttlMs: 60_000,
    });
    await repo.friendships.updateFriendRequest({
      requestId: request?.id ?? '',
      actorId: targetId,
      status: 1,
    });
  });
}
