import type { RepoClient } from '../../lib/grpc/clients.ts';

/** Progress is stored this long after delivery: each write locks the conversation's head, which senders need. */
const delayMs = 250;

export type StoredProgress = {
  /** Schedules a write: all messages up to this seq id are delivered. */
  set(done: number): void;
  /** The highest seq id of a write that was started: a reader may find it stored already. */
  asked(): number;
  /** Resolves when the latest progress is stored. Rejects if the write fails. */
  flush(): Promise<void>;
  /** Cancels the scheduled write; a failed write is not retried after the activity has ended. */
  stop(): void;
};

/**
 * Writes a conversation's fan-out progress in the background, a few times per second, so that it does not cost one
 * write per message. After a crash, the last heartbeat holds the progress that was not written. This does not use
 * gather (lib/async): only the newest value matters, and there must be a pause between two writes however long they
 * take.
 */
export function createStoredProgress(
  repo: RepoClient,
  conversationId: string,
  onHead: (lastSeqId: number) => void,
): StoredProgress {
  let wanted = 0;
  let asked = 0;
  let stored = 0;
  let running: Promise<void> | undefined;
  let stopped = false;
  let timer: NodeJS.Timeout | undefined;

  async function write(): Promise<void> {
    try {
      const doneSeqId = wanted;
      asked = doneSeqId;
      const { lastSeqId } = await repo.conversations.setFanoutDone({ conversationId, doneSeqId });
      stored = doneSeqId;
      onHead(lastSeqId);
    } finally {
      running = undefined;
      if (stored < wanted) writeSoon();
    }
  }

  function start(): Promise<void> {
    clearTimeout(timer);
    timer = undefined;
    running ??= write();
    running.catch(() => undefined);
    return running;
  }

  function writeSoon(): void {
    if (stopped) return;
    timer ??= setTimeout(() => void start(), delayMs).unref();
  }

  return {
    set(done) {
      wanted = Math.max(wanted, done);
      if (!running && stored < wanted) writeSoon();
    },
    asked: () => asked,
    async flush() {
      while (stored < wanted) await start();
    },
    stop() {
      stopped = true;
      clearTimeout(timer);
    },
  };
}
