import type { Account } from '../fixtures/cache.ts';
import type { Seeds } from '../fixtures/seeds.ts';
import type { Laboratory } from '../laboratory/laboratory.ts';

export type Library = { readers: Account[]; longConversationId: string };

/** Users with many conversations, one of them very long, for the scenarios that read lists and histories. */
export async function libraryOf({ accounts, options, say }: Laboratory, seeds: Seeds): Promise<Library> {
  const { readers, conversations, depth } = options;
  const key = `library of ${readers} readers, ${conversations} conversations, ${depth} messages`;
  const crew = await accounts.crew(key, readers, async (fresh) => {
    const memberIds = fresh.map(({ userId }) => userId);
    say(`Writing ${conversations} conversations of ${readers} users, and one of ${depth} messages`);
    await seeds.groups('library', memberIds, conversations - 1);
    accounts.fixtures.groups[key] = await seeds.group('long', memberIds, depth);
  });
  return { readers: crew, longConversationId: accounts.fixtures.groups[key] ?? '' };
}
