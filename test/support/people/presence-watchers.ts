import assert from 'node:assert/strict';
import type { RepoClient } from '../../../lib/grpc/clients.ts';
import { eventually } from '../eventually.ts';
import { befriendAll, keepAlive, newGuests } from './guests.ts';
import { type Chat, chat, gateway2Url, type Person } from './people.ts';

export type PresenceWatchers = {
  /** The number of notifications with this status, by watched user. */
  noticesOf(status: 'online' | 'offline'): Map<string, number>;
  /** Resolves when there were `times` notifications with this status for each watched user. */
  all(status: 'online' | 'offline', times: number, withinMs: number): Promise<void>;
  /** Resolves when all frames in flight have arrived. */
  settled(): Promise<void>;
  close(): Promise<void>;
};

/** Connects friends of these users to the second gateway; each of them watches an equal share of the users. */
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
        assert.fail(
          `${counts.length} of ${users.length} users were announced as ${status} within ${withinMs} ms`,
        );
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
