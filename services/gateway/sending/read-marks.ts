import { createGather } from '../../../lib/async/gather.ts';
import { codeFromNumber, GoChatError } from '../../../lib/errors.ts';
import type { LogicClient } from '../../../lib/grpc/clients.ts';
import type { Session } from '../sessions/session.ts';

/** What a session marked in one conversation since the last write: the furthest, and what it would else stand for. */
type Mark = { session: Session; conversationId: string; seqId: number; lower?: Set<number> };

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
 * pointers never move back. Where it lies beyond the conversation's head it says nothing about the others, which are
 * then written too. A batch goes out 50 ms after its first mark, or when the one before has returned.
 */
export function createReadMarks(deps: {
  conversations: Pick<LogicClient['conversations'], 'batchMarkAsRead'>;
  onRefused: (session: Session, error: GoChatError) => void;
}): ReadMarks {
  let pending = new Map<string, Mark>();
  /** Marks in `pending`, those that the furthest stands for included. */
  let waiting = 0;

  async function writePending(): Promise<void> {
    const marks = [...pending.values()];
    pending = new Map();
    waiting = 0;
    const beyond: Mark[] = [];
    for (const some of chunksOf(marks)) beyond.push(...(await write(some)));
    for (const some of chunksOf(beyond.flatMap(lowerMarks))) await write(some);
  }

  /** Answers with the marks that are beyond their conversation's head. */
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
      const told =
        error instanceof GoChatError ? error : new GoChatError('INTERNAL_ERROR', 'Cannot mark as read now.');
      for (const { session } of marks) deps.onRefused(session, told);
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
        throw new GoChatError('UNAVAILABLE', 'Too much is waiting. Try again shortly.');
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

/** The marks that another one stood for, the furthest first: after the first that is written none moves the pointer. */
const lowerMarks = ({ session, conversationId, lower = new Set() }: Mark): Mark[] =>
  [...lower].sort((a, b) => b - a).map((seqId) => ({ session, conversationId, seqId }));

function* chunksOf(marks: readonly Mark[]): Generator<Mark[]> {
  for (let from = 0; from < marks.length; from += maxBatch) yield marks.slice(from, from + maxBatch);
}
