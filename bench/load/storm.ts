import { monotonicMicros } from '../measure/clock.ts';
import { createHistogram } from '../measure/histogram.ts';
import type { SessionSpec, StormReport } from './commands.ts';
import { createHttpConnection } from './http.ts';
import { count, inParallel, type LoadSession, type Sessions } from './sessions.ts';

type SyncAnswer = {
  conversations: { conversation: { id: string }; messages: { seqId: number }[] }[];
  hasMore: boolean;
};

/** Drops all sockets of the process at once and reconnects them; each then syncs the messages that it missed. */
export function createStorm(sessions: Sessions) {
  let dropped: LoadSession[] = [];
  let droppedAt = 0;

  return {
    async drop(): Promise<void> {
      dropped = sessions.all();
      droppedAt = monotonicMicros();
      await sessions.close(
        dropped.map(({ spec }) => spec.key),
        true,
      );
    },

    async reconnect(input: {
      parallel: number;
      cursors: [userId: string, cursors: [string, number][]][];
    }): Promise<StormReport> {
      const welcome = createHistogram();
      const synced = createHistogram();
      const failures: Record<string, number> = {};
      const cursorsOf = new Map(input.cursors);
      let messagesSynced = 0;
      await inParallel(dropped, input.parallel, async ({ spec, ledgers }) => {
        try {
          const session = await sessions.open(spec, ledgers);
          welcome.record(monotonicMicros() - droppedAt);
          const messages = await sync(session, cursorsOf.get(spec.userId) ?? []);
          messagesSynced += messages;
          synced.record(monotonicMicros() - droppedAt);
        } catch (error) {
          count(failures, (error as Error).message);
        }
      });
      return { welcome: welcome.data(), synced: synced.data(), failures, messagesSynced };
    },
  };
}

/**
 * Calls POST /sync until there are no more pages. For followed conversations the cursor is the session's own
 * position.
 */
async function sync({ spec, ledgers }: LoadSession, known: [string, number][]): Promise<number> {
  const cursors = Object.fromEntries(known);
  for (const [id, ledger] of ledgers) cursors[id] = ledger.cursor();
  const connection = createHttpConnection(spec.gateway);
  let messages = 0;
  try {
    for (let more = true; more; ) {
      const answer = await syncPage(connection, spec, cursors);
      for (const { conversation, messages: page } of answer.conversations) {
        const ledger = ledgers.get(conversation.id);
        for (const { seqId } of page) {
          ledger?.synced(seqId);
          cursors[conversation.id] = Math.max(cursors[conversation.id] ?? 0, seqId);
        }
        messages += page.length;
      }
      more = answer.hasMore;
    }
  } finally {
    connection.close();
  }
  return messages;
}

async function syncPage(
  connection: ReturnType<typeof createHttpConnection>,
  spec: SessionSpec,
  cursors: Record<string, number>,
): Promise<SyncAnswer> {
  const { status, body } = await connection.request({
    method: 'POST',
    path: '/sync',
    accessToken: spec.accessToken,
    body: JSON.stringify({ cursors }),
  });
  if (status !== 200) throw new Error(`sync answered ${status}`);
  return JSON.parse(body);
}
