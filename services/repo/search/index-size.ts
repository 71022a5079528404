import { createSingleFlight } from '../../../lib/async/single-flight.ts';
import type { Logger } from '../../../lib/log.ts';
import type { Metrics } from '../../../lib/metrics.ts';
import { type Databases, fromAll } from '../storage/databases.ts';

const intervalMs = 60_000;

/** Measures the size of the index, as the databases estimate it. */
export function watchIndexSize(deps: { databases: Databases; metrics: Metrics; log: Logger }) {
  const { databases, log } = deps;
  let bytes = 0;
  deps.metrics.observed(
    'gochat_search_index_bytes',
    'Size of the tables of the search index, as the databases estimate it.',
    () => bytes,
  );

  async function measure(): Promise<void> {
    const rows = await fromAll(databases.shards, (shard) =>
      shard.query<{ bytes: number | null }>(
        `SELECT SUM(data_length + index_length) AS bytes FROM information_schema.tables
         WHERE table_schema = DATABASE() AND table_name IN ('search_terms', 'search_blocks', 'search_heads')`,
      ),
    );
    bytes = rows.reduce((sum, row) => sum + Number(row.bytes ?? 0), 0);
  }

  const rounds = createSingleFlight(() =>
    measure().catch((error: unknown) => log.warn({ err: error }, 'cannot measure the search index')),
  );
  const timer = setInterval(rounds.run, intervalMs).unref();
  return {
    async stop() {
      clearInterval(timer);
      await rounds.inFlight();
    },
  };
}
