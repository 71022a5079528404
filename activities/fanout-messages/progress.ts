import type { RepoClient } from '../../lib/grpc/clients.ts';

/** At most so long after it was passed on, something is stored as such: a write locks the head that senders need. */
const delayMs = 250;

export type StoredProgress = {
  /** Stores soon that everything up to a seq was passed on. */
  set(done: number): void;
  /** The furthest that it was asked to store: whoever reads may have found it stored by now. */
  asked(): number;
  /** Resolves when all that was set is stored. Rejects when it can't be. */
  flush(): Promise<void>;
  /** Nothing more is stored: what failed is not tried again once the activity has ended. */
  stop(): void;
};

/**
 * Writes a conversation's fan-out progress beside the work, a few times a second, so that neither a burst nor lively
 * talk costs a write a message. What a crash forgets of it the last heartbeat still tells. No gather (lib/async): only
 * the newest counts, and two writes keep a distance however long they take.
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
