import type { RepoClient } from '../../lib/grpc/clients.ts';

export type StoredProgress = {
  /** Stores that everything up to a seq was passed on; while one store is in flight the last one waits. */
  set(done: number): void;
  /** Resolves when all that was set is stored. Rejects when it can't be. */
  flush(): Promise<void>;
};

/**
 * Writes a conversation's fan-out progress beside the work, one write at a time, so that a burst costs few of them.
 * The answer names the head, which saves asking for it.
 */
export function createStoredProgress(
  repo: RepoClient,
  conversationId: string,
  onHead: (lastSeqId: number) => void,
): StoredProgress {
  let wanted = 0;
  let stored = 0;
  let running: Promise<void> | undefined;

  async function write(): Promise<void> {
    try {
      while (stored < wanted) {
        const doneSeqId = wanted;
        const { lastSeqId } = await repo.conversations.setFanoutDone({ conversationId, doneSeqId });
        stored = doneSeqId;
        onHead(lastSeqId);
      }
    } finally {
      running = undefined;
    }
  }

  const start = () => {
    running ??= write();
    running.catch(() => undefined);
    return running;
  };

  return {
    set(done) {
      wanted = Math.max(wanted, done);
      void start();
    },
    async flush() {
      while (stored < wanted) await start();
    },
  };
}
