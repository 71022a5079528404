// Room: storing, indexing and searching messages in tests of im-repo. No assertions may come in.

import type { NewMessage } from '../../../lib/gen/im_repo/v1/message.ts';
import type { SearchMessagesRequest } from '../../../lib/gen/im_repo/v1/search.ts';
import type { ConversationParts } from '../repo/conversation-parts.ts';

/** Short forms of storing, indexing and searching messages. */
export function createSearchParts(repo: ConversationParts) {
  /** Takes up all messages of a conversation, as often as there is something left. */
  async function index(conversationId: string, firstSeqId = 1, lastSeqId = firstSeqId): Promise<number> {
    let indexed = 0;
    let ranges = [{ conversationId, firstSeqId, lastSeqId }];
    while (ranges.length > 0) {
      const answer = await repo.search.indexMessages({ ranges });
      indexed += answer.indexed;
      ranges = answer.left;
    }
    return indexed;
  }

  const store = async (
    conversationId: string,
    senderId: string,
    texts: readonly (string | Partial<NewMessage>)[],
  ) =>
    repo.save(
      ...texts.map((text) =>
        repo.newMessage(conversationId, senderId, typeof text === 'string' ? { content: text } : text),
      ),
    );

  /** The contents of the hits, and the cursor. */
  async function search(userId: string, query: string, more: Partial<SearchMessagesRequest> = {}) {
    const { hits, nextCursor } = await repo.search.searchMessages({ userId, query, limit: 0, ...more });
    return { hits, nextCursor, contents: hits.map(({ message }) => message?.content) };
  }

  /** The contents of the hits of all pages. */
  async function searchAll(
    userId: string,
    query: string,
    limit: number,
    more: Partial<SearchMessagesRequest> = {},
  ) {
    const contents: (string | undefined)[] = [];
    for (let cursor: string | undefined; ; ) {
      const page = await search(userId, query, { ...more, limit, cursor });
      contents.push(...page.contents);
      if (page.nextCursor === undefined) return contents;
      cursor = page.nextCursor;
    }
  }

  return {
    index,
    store,

    /** Stores texts and takes them up. */
    async tell(conversationId: string, senderId: string, ...texts: (string | Partial<NewMessage>)[]) {
      const results = await store(conversationId, senderId, texts);
      await index(conversationId, results[0]?.seqId, results.at(-1)?.seqId);
      return results;
    },

    search,
    searchAll,

    /** All terms in the index of a conversation. */
    async termsOf(conversationId: string): Promise<string[]> {
      const rows = await repo.databases
        .messagesOf(conversationId)
        .query<{ term: Buffer }>(
          'SELECT term FROM search_terms WHERE conversation_id = ? ORDER BY block, term',
          [Number(conversationId)],
        );
      return rows.map(({ term }) => term.toString());
    },
  };
}
