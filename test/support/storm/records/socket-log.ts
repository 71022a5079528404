/** The frames that one socket received, for the checks at the end. */
export type SocketLog = {
  /** Unique in a storm. */
  number: number;
  device: string;
  userId: string;
  gateway: string;
  openedAt: number;
  /** Undefined while it is open. */
  closedAt: number | undefined;
  /** By conversation, the last seq id of the sync after `welcome`: all later messages must arrive over the socket. */
  syncedTo: Map<string, number>;
  /** By conversation, the seq ids of new-message in order of arrival. */
  arrivals: Map<string, number[]>;
  /** Conversations whose member-removed arrived over the socket. */
  removedFrom: Set<string>;
  /** The number of frames by type; `ownMark` is counted separately. */
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

/** The type under which a `message-read` about the receiving user itself is counted. */
export const ownMark = 'message-read of its own';

export function noteFrame(log: SocketLog, type: string): void {
  log.frames.set(type, (log.frames.get(type) ?? 0) + 1);
}

export function noteArrival(log: SocketLog, conversationId: string, seqId: number): void {
  const seqs = log.arrivals.get(conversationId);
  if (seqs) seqs.push(seqId);
  else log.arrivals.set(conversationId, [seqId]);
}
