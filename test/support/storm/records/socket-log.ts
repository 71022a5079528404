/** What one socket was given, for the judgement at the end. */
export type SocketLog = {
  /** Unique in a storm. */
  number: number;
  device: string;
  userId: string;
  gateway: string;
  openedAt: number;
  /** Undefined while it is open. */
  closedAt: number | undefined;
  /** By conversation, up to where the sync after its welcome went: whatever came later had to come over it. */
  syncedTo: Map<string, number>;
  /** By conversation, the seq ids of new-message in the order in which they came. */
  arrivals: Map<string, number[]>;
  /** Conversations whose member-removed came over it. */
  removedFrom: Set<string>;
  /** How often each type of frame came, `ownMark` apart. */
  frames: Map<string, number>;
};

export function createSocketLog(who: Pick<SocketLog, 'number' | 'device' | 'userId' | 'gateway'>): SocketLog {
  return {
    ...who,
    openedAt: Date.now(),
    closedAt: undefined,
    syncedTo: new Map(),
    arrivals: new Map(),
    removedFrom: new Set(),
    frames: new Map(),
  };
}

/** What a `message-read` is counted as that tells of the reader itself. */
export const ownMark = 'message-read of its own';

export function noteFrame(log: SocketLog, type: string): void {
  log.frames.set(type, (log.frames.get(type) ?? 0) + 1);
}

export function noteArrival(log: SocketLog, conversationId: string, seqId: number): void {
  const seqs = log.arrivals.get(conversationId);
  if (seqs) seqs.push(seqId);
  else log.arrivals.set(conversationId, [seqId]);
}
