import type { Calls } from '../wire/wire.ts';
import type { ActionDeps } from './people.ts';

type Query = Calls['GET /search/messages']['query'];

/** What to search for: messages that have all these words, in all conversations of the user or in one. */
export type SearchQuery = Omit<Query, 'q'> & { text: string };
export type SearchPage = Calls['GET /search/messages']['answer'];

/** The search in the messages of the user's conversations. */
export const createSearch = ({ api }: ActionDeps) => ({
  /** A page of results, newest first. Its `nextCursor`, as `cursor`, gets the next one. */
  search: ({ text: q, ...filter }: SearchQuery): Promise<SearchPage> =>
    api('GET /search/messages', { query: { q, ...filter } }),
});
