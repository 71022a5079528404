import { createGather } from '../../../lib/async/gather.ts';
import { codeFromNumber, GoChatError } from '../../../lib/errors.ts';
import type { LogicClient } from '../../../lib/grpc/clients.ts';
import type { Session } from '../sessions/session.ts';

/** Marks of a session in one conversation since the last write: the furthest, and the lower ones that it replaces. */
type Mark = { session: Session; conversationId: string; seqId: number; lower?: Set<number> };

export type ReadMarks = {
  /** Queues a mark: the session has read up to `seqId`. Throws UNAVAILABLE while too many marks are pending. */
  mark(session: Session, conversationId: string, seqId: number): void;
  /** Number of pending marks. */
  depth(): number;
  /** Resolves when all marks so far have been sent to logic. */
  flush(): Promise<void>;
};

const gatherMs = 50;
const maxBatch = 1000;
const maxPending = 50_000;

/**
 * Coalesces mark-read frames: of several marks of one session in one conversation only the furthest is written, because
 * read pointers never move back. If the furthest is beyond the conversation's head, logic refuses it, and the lower marks
 * are written instead. A batch is sent 50 ms after its first mark, or when the previous batch has returned.
 */
export function createReadMarks(deps: {
  conversations: Pick<LogicClient['conversations'], 'batchMarkAsRead'>;
  onRefused: (session: Session, error: GoChatError) => void;
}): ReadMarks {
  let pending = new Map<string, Mark>();
  /** Number of marks in `pending`, including the lower ones. */
  let waiting = 0;

  async function writePending(): Promise<void> {
    const marks = [...pending.values()];
    pending = new Map();
    waiting = 0;
    const beyondHead: Mark[] = [];
    for (const chunk of chunksOf(marks)) beyondHead.push(...(await write(chunk)));
    for (const chunk of chunksOf(beyondHead.flatMap(lowerMarks))) await write(chunk);
  }

  /** Writes marks, and returns those that are beyond the head of their conversation. */
  async function write(marks: Mark[]): Promise<Mark[]> {
    const updates = marks.map(({ session, conversationId, seqId }) => ({
      userId: session.userId,
      conversationId,
      seqId,
      sessionId: session.id,
    }));
    try {
      const { errors } = await deps.conversations.batchMarkAsRead({ updates });
      return marks.filter(({ session, conversationId }, index) => {
        const code = codeFromNumber(errors[index] ?? 0);
        if (!code) return false;
        deps.onRefused(session, new GoChatError(code, `Cannot mark conversation ${conversationId} as read.`));
        return code === 'INVALID_ARGUMENT';
      });
    } catch (error) {
      const refusal =
        error instanceof GoChatError ? error : new GoChatError('INTERNAL_ERROR', 'Cannot mark as read now.');
      for (const { session } of marks) deps.onRefused(session, refusal);
      return [];
    }
  }

  const gather = createGather({ waiting: () => waiting, handle: writePending, lingerMs: gatherMs });

  return {
    mark(session, conversationId, seqId) {
      const key = `${session.id} ${conversationId}`;
      const known = pending.get(key);
      if (known?.seqId === seqId || known?.lower?.has(seqId)) return;
      if (waiting >= maxPending)
        throw new GoChatError('UNAVAILABLE', 'Too many read marks are pending. Try again shortly.');
      waiting += 1;
      if (known) {
        known.lower ??= new Set();
        known.lower.add(Math.min(known.seqId, seqId));
        known.seqId = Math.max(known.seqId, seqId);
        return;
      }
      pending.set(key, { session, conversationId, seqId });
      gather.wake();
    },
    depth: () => waiting,
    flush: gather.flush,
  };
}

/** The lower marks that a mark replaced, the furthest first: once one of them is written, the others change nothing. */
const lowerMarks = ({ session, conversationId, lower = new Set() }: Mark): Mark[] =>
  [...lower].sort((a, b) => b - a).map((seqId) => ({ session, conversationId, seqId }));

function* chunksOf(marks: readonly Mark[]): Generator<Mark[]> {
  for (let from = 0; from < marks.length; from += maxBatch) yield marks.slice(from, from + maxBatch);
}
