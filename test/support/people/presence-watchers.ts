import assert from 'node:assert/strict';
import type { RepoClient } from '../../../lib/grpc/clients.ts';
import { eventually } from '../eventually.ts';
import { befriendAll, keepAlive, newGuests } from './guests.ts';
import { type Chat, chat, gateway2Url, type Person } from './people.ts';

export type PresenceWatchers = {
  /** How often each of the watched was said to have this status. */
  noticesOf(status: 'online' | 'offline'): Map<string, number>;
  /** Resolves when all the watched were said to have this status, `times` times. */
  all(status: 'online' | 'offline', times: number, withinMs: number): Promise<void>;
  /** Resolves when every frame that was on its way is here. */
  settled(): Promise<void>;
  close(): Promise<void>;
};

/** Friends of these users, on the second gateway: each of them watches an equal share. */
export async function watchPresence(
  repo: RepoClient,
  users: readonly Person[],
  count: number,
): Promise<PresenceWatchers> {
  const guests = await newGuests(count);
  const share = Math.ceil(users.length / count);
  const chats: Chat[] = [];
  for (const [index, guest] of guests.entries()) {
    const watched = users.slice(index * share, (index + 1) * share).map(({ id }) => id);
    await befriendAll(repo, guest.id, watched);
    chats.push(keepAlive(await chat(guest, gateway2Url)));
  }
  const noticesOf = (status: string) => {
    const counts = new Map<string, number>();
    for (const frame of chats.flatMap((socket) => socket.all('online-status'))) {
      if (frame.status === status) counts.set(frame.userId, (counts.get(frame.userId) ?? 0) + 1);
    }
    return counts;
  };
  return {
    noticesOf,
    async all(status, times, withinMs) {
      const complete = () => {
        const counts = noticesOf(status);
        return users.every(({ id }) => (counts.get(id) ?? 0) >= times);
      };
      await eventually(complete, withinMs).catch(() => {
        const counts = [...noticesOf(status).values()];
        assert.fail(`${counts.length} of ${users.length} were told ${status} within ${withinMs} ms`);
      });
    },
    settled: async () => {
      await Promise.all(chats.map((socket) => socket.settled()));
    },
    close: async () => {
      await Promise.all(chats.map((socket) => socket.close()));
    },
  };
}
