import { codeFromNumber, GoChatError } from '../../lib/errors.ts';
import type { LogicClient } from '../../lib/grpc/clients.ts';
import type { Session } from './sockets/session.ts';

type Mark = { session: Session; conversationId: string; seqId: number };

export type ReadMarks = {
  /** Notes how far a session has read. Throws UNAVAILABLE while too many wait. */
  mark(session: Session, conversationId: string, seqId: number): void;
  depth(): number;
  /** Resolves when everything marked so far was told to logic. */
  flush(): Promise<void>;
};

const gatherMs = 50;
const maxBatch = 1000;
const maxPending = 50_000;

/**
 * Coalesces mark-read frames: of several for one session and conversation only the furthest is written, since read
 * pointers never move back. A batch goes out 50 ms after its first mark, or when the one before has returned.
 */
export function createReadMarks(deps: {
  conversations: Pick<LogicClient['conversations'], 'batchMarkAsRead'>;
  onRefused: (session: Session, error: GoChatError) => void;
}): ReadMarks {
  let pending = new Map<string, Mark>();
  let timer: NodeJS.Timeout | undefined;
  let running: Promise<void> | undefined;

  function start(): void {
    clearTimeout(timer);
    timer = undefined;
    running ??= run().finally(() => {
      running = undefined;
    });
  }

  async function run(): Promise<void> {
    while (pending.size > 0) {
      const marks = [...pending.values()];
      pending = new Map();
      for (let from = 0; from < marks.length; from += maxBatch)
        await write(marks.slice(from, from + maxBatch));
    }
  }

  async function write(marks: Mark[]): Promise<void> {
    const updates = marks.map(({ session, conversationId, seqId }) => ({
      userId: session.userId,
      conversationId,
      seqId,
      sessionId: session.id,
    }));
    try {
      const { errors } = await deps.conversations.batchMarkAsRead({ updates });
      marks.forEach(({ session, conversationId }, index) => {
        const code = codeFromNumber(errors[index] ?? 0);
        if (code) {
          deps.onRefused(
            session,
            new GoChatError(code, `Cannot mark conversation ${conversationId} as read.`),
          );
        }
      });
    } catch (error) {
      const told =
        error instanceof GoChatError ? error : new GoChatError('INTERNAL_ERROR', 'Cannot mark as read now.');
      for (const { session } of marks) deps.onRefused(session, told);
    }
  }

  return {
    mark(session, conversationId, seqId) {
      const key = `${session.id} ${conversationId}`;
      const known = pending.get(key);
      if (known) {
        known.seqId = Math.max(known.seqId, seqId);
        return;
      }
      if (pending.size >= maxPending)
        throw new GoChatError('UNAVAILABLE', 'Too much is waiting. Try again shortly.');
      pending.set(key, { session, conversationId, seqId });
      if (!timer && !running) timer = setTimeout(start, gatherMs);
    },
    depth: () => pending.size,
    async flush() {
      start();
      await running;
    },
  };
}
