import type { Conversation, Friend, FriendRequest, LoginSession, Member, User } from './src/wire/wire.ts';

/** `limit` is the maximum number of rows per page; `cursor` is the `nextCursor` after which reading continues. */
export type PageOptions = { limit?: number; cursor?: string };
/** `nextCursor` gets the next page and stays valid after a restart of the client or server. The last page has none. */
export type Page<Row> = { rows: Row[]; nextCursor: string | undefined };
export type Pages<Row> = AsyncGenerator<Page<Row>, void, undefined>;

type Get = <T>(path: string) => Promise<T>;
type Query = Record<string, string | number | undefined>;

const usualLimit = 200;

/**
 * Reads the lists of a user page by page with cursors. A row that keeps its place in the order is returned exactly
 * once, even if other rows appear or disappear. A row that moves while the list is read may be missed or returned
 * twice: a frame announces the change, and a request with `updatedSince` returns the conversations that changed.
 */
export function createLists(get: Get) {
  async function* pages<Row>(path: string, plural: string, query: Query): Pages<Row> {
    for (let cursor = query.cursor; ; ) {
      const answer = await get<Record<string, Row[]> & { nextCursor?: string }>(
        `${path}?${textOf({ limit: usualLimit, ...query, cursor })}`,
      );
      cursor = answer.nextCursor;
      yield { rows: answer[plural] ?? [], nextCursor: answer.nextCursor };
      if (cursor === undefined) return;
    }
  }

  return {
    conversations: (options: PageOptions & { updatedSince?: number } = {}) =>
      pages<Conversation>('/conversations', 'conversations', options),
    members: (conversationId: string, options: PageOptions = {}) =>
      pages<Member>(`/conversations/${conversationId}/members`, 'members', options),
    friends: (options: PageOptions = {}) => pages<Friend>('/friends', 'friends', options),
    friendRequests: (options: PageOptions & { direction?: 'incoming' | 'outgoing'; status?: number } = {}) =>
      pages<FriendRequest>('/friends/requests', 'requests', options),
    blocks: (options: PageOptions = {}) => pages<User>('/blocks', 'users', options),
    sessions: (options: PageOptions = {}) => pages<LoginSession>('/auth/sessions', 'sessions', options),
  };
}

function textOf(query: Query): string {
  const text = new URLSearchParams();
  for (const [name, value] of Object.entries(query)) if (value !== undefined) text.set(name, String(value));
  return text.toString();
}
