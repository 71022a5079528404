// Room: search: the index of messages' words, and finding messages by it. Rooms that change messages tell it what
// changed; it stores no message and decides nothing about who may write.

import pLimit from 'p-limit';
import { parseId } from '../../../lib/domain/ids.ts';
import { invalid } from '../../../lib/domain/refusals.ts';
import { GoChatError } from '../../../lib/errors.ts';
import type { IndexMessagesRequest, SearchServiceService } from '../../../lib/gen/im_repo/v1/search.ts';
import type { ServedHandlers } from '../../../lib/grpc/definition.ts';
import type { Metrics } from '../../../lib/metrics.ts';
import type { Cache } from '../cache/cache.ts';
import type { ColdMessages } from '../cold/cold-messages.ts';
import type { FileLinks } from '../file-links/file-links.ts';
import type { UserCards } from '../rows/user-cards.ts';
import type { Databases } from '../storage/databases.ts';
import type { SearchEngine, SeqRange } from './engine.ts';
import { createFind } from './find.ts';
import { changeIndex } from './index-change.ts';
import { createIndexSearch } from './index-read.ts';
import { createIndexWrite } from './index-write.ts';
import { createReindex } from './reindex.ts';

const maxRanges = 1000;
/** A search may read hundreds of blocks: more at once would keep connections from messages that are being sent. */
const searchesAtOnce = 8;
const maxWaitingSearches = 100;

/** The index in SQL, beside the messages that it is about. */
export const createSqlEngine = (deps: {
  databases: Databases;
  cold: Pick<ColdMessages, 'bySeqIds'>;
}): SearchEngine => ({
  ...createIndexWrite(deps),
  change: changeIndex,
  search: createIndexSearch(deps),
});

/** The handlers of SearchService. */
export function createSearchHandlers(deps: {
  databases: Databases;
  cache: Cache;
  cold: Pick<ColdMessages, 'bySeqIds'>;
  userCards: UserCards;
  engine: SearchEngine;
  links: FileLinks;
  metrics: Metrics;
}) {
  const { engine, metrics } = deps;
  const indexed = metrics.counter(
    'gochat_search_indexed_messages_total',
    'Messages taken up into the search index.',
  );
  const duration = metrics.latency('gochat_search_duration_seconds', 'Time of a search.');
  const find = createFind(deps);
  const inTurn = pLimit(searchesAtOnce);
  const reindex = createReindex(deps);

  return {
    async searchMessages(request) {
      if (inTurn.pendingCount >= maxWaitingSearches)
        throw new GoChatError('UNAVAILABLE', 'Too many searches are waiting.');
      const stop = duration.startTimer();
      try {
        return await inTurn(find, request);
      } finally {
        stop();
      }
    },
    async indexMessages({ ranges }: IndexMessagesRequest) {
      if (ranges.length > maxRanges) throw invalid('ranges', `must have at most ${maxRanges} entries`);
      const done = await engine.index(ranges.map(readRange));
      indexed.inc(done.indexed);
      return {
        indexed: done.indexed,
        left: done.left.map((range) => ({ ...range, conversationId: String(range.conversationId) })),
      };
    },
    async reindexMessages(request) {
      const done = await reindex(request);
      indexed.inc(done.indexed);
      return done;
    },
  } satisfies ServedHandlers<typeof SearchServiceService>;
}

function readRange(range: IndexMessagesRequest['ranges'][number], index: number): SeqRange {
  const { firstSeqId, lastSeqId } = range;
  const conversationId = parseId(range.conversationId);
  const isRange =
    Number.isSafeInteger(firstSeqId) &&
    Number.isSafeInteger(lastSeqId) &&
    firstSeqId >= 1 &&
    firstSeqId <= lastSeqId;
  if (conversationId === undefined || !isRange)
    throw invalid(`ranges.${index}`, 'must be a range of seq ids');
  return { conversationId, firstSeqId, lastSeqId };
}
