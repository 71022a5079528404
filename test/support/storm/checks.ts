import type { Device } from './device.ts';
import type { StormConversation } from './participants.ts';
import type { Findings } from './records/findings.ts';
import type { Ledger, Sent } from './records/ledger.ts';
import type { SocketLog } from './records/socket-log.ts';
import type { StoredState } from './stored-state.ts';

/** Compares the sent messages with the stored ones. */
export function checkStored(
  ledger: Ledger,
  conversations: readonly StormConversation[],
  states: ReadonlyMap<string, StoredState>,
  findings: Findings,
): void {
  const seen = new Map<string, string>();
  for (const { id, head } of conversations) {
    const state = states.get(id);
    if (!state) continue;
    for (const [index, stored] of state.stored.entries()) {
      const where = `${id}/${stored.seqId}`;
      const what = `${where} (${stored.clientMsgId})`;
      const sent = ledger.find(stored.clientMsgId);
      if (stored.seqId !== head + index + 1) {
        findings.add('seq ids have no gap', `${what} instead of ${head + index + 1}`);
      }
      const before = seen.get(stored.clientMsgId);
      if (before !== undefined) findings.add('a message is stored once', `${what} is also ${before}`);
      seen.set(stored.clientMsgId, where);
      if (
        !sent ||
        sent.content !== stored.content ||
        sent.senderId !== stored.senderId ||
        sent.conversationId !== id
      ) {
        findings.add('what is stored is what was sent', `${what}: ${JSON.stringify(stored)}`);
      }
    }
    const last = state.stored.at(-1);
    const expected = { seqId: last?.seqId ?? head, messageId: last?.messageId ?? state.head.messageId };
    if (state.head.seqId !== expected.seqId || state.head.messageId !== expected.messageId) {
      findings.add(
        'heads are the truth',
        `${id}: ${JSON.stringify(state.head)} instead of ${JSON.stringify(expected)}`,
      );
    }
    if (state.lastMessageId !== state.head.messageId) {
      findings.add(
        'heads are the truth',
        `${id}: last_message_id ${state.lastMessageId} instead of ${state.head.messageId}`,
      );
    }
  }
  for (const sent of ledger.sent.values()) checkAcks(sent, states, findings);
}

function checkAcks(sent: Sent, states: ReadonlyMap<string, StoredState>, findings: Findings): void {
  const what = `${sent.clientMsgId} to ${sent.conversationId} from ${sent.device}`;
  if (sent.acks.length === 0) {
    findings.add('every message is acknowledged in the end', `${what}: ${JSON.stringify(sent.attempts)}`);
  }
  for (const ack of sent.acks) {
    const stored = states.get(sent.conversationId)?.bySeq.get(ack.seqId);
    if (stored?.clientMsgId === sent.clientMsgId && stored.messageId === ack.messageId) continue;
    findings.add(
      'what was acknowledged is stored',
      `${what}: ${JSON.stringify(ack)}, stored is ${JSON.stringify(stored)}`,
    );
  }
}

/**
 * Checks that the messages of one session to one conversation are stored in the order sent. Retried messages may come
 * later, so they are not checked.
 */
export function checkSendOrder(ledger: Ledger, findings: Findings): void {
  const once = [...ledger.sent.values()].filter(
    ({ attempts, acks }) => attempts.length === 1 && acks.length > 0,
  );
  const bySession = Map.groupBy(once, (sent) => `${sent.attempts[0]?.socket} to ${sent.conversationId}`);
  for (const [session, messages] of bySession) {
    const seqs = messages.map(({ acks }) => acks[0]?.seqId ?? 0);
    for (const [index, seqId] of seqs.entries()) {
      if (index === 0 || seqId > (seqs[index - 1] ?? 0)) continue;
      findings.add(
        'what a session sends is stored in the order sent',
        `socket ${session}: ${messages[index]?.clientMsgId} is ${seqId} after ${seqs[index - 1]}`,
      );
    }
  }
}

/** Checks that a device has every message exactly once after its sync. */
export function checkHeldMessages(
  device: Pick<Device, 'name' | 'store' | 'left'>,
  states: ReadonlyMap<string, StoredState>,
  findings: Findings,
): void {
  for (const id of device.store.conversationIds()) {
    if (device.left.has(id)) continue;
    const held = device.store.of(id);
    for (const { seqId, clientMsgId, messageId } of states.get(id)?.stored ?? []) {
      const own = held.get(seqId);
      if (!own) findings.add('expected is received', `${device.name} lacks ${id}/${seqId} (${clientMsgId})`);
      else if (own.messageId !== messageId || own.clientMsgId !== clientMsgId) {
        findings.add(
          'expected is received',
          `${device.name} holds ${JSON.stringify(own)} as ${id}/${seqId}, stored is ${clientMsgId}`,
        );
      }
    }
    for (const [seqId, { clientMsgId }] of held) {
      if (states.get(id)?.bySeq.has(seqId)) continue;
      findings.add('received is stored', `${device.name} holds ${id}/${seqId} (${clientMsgId})`);
    }
  }
}

/**
 * Checks the messages that a socket received while it was open. The contract: they arrive in the order of the seq
 * ids, each once while no server fails; after a failure a message may be repeated with the same seq id. A client
 * cannot see that an open socket lacks a message, so a lasting gap is a loss, although a later sync would fill it.
 * The device's own messages are not checked: its sessions may or may not receive them.
 */
export function checkSocket(
  log: SocketLog,
  options: {
    states: ReadonlyMap<string, StoredState>;
    /** True if this device sent the message. */
    isOwn: (clientMsgId: string) => boolean;
    /** Conversations from which the user may have been removed. */
    left: ReadonlySet<string>;
    findings: Findings;
  },
): void {
  const { states, isOwn, findings } = options;
  const who = `socket ${log.number} of ${log.device} at ${log.gateway}`;
  for (const [id, state] of states) {
    const arrivals = log.arrivals.get(id) ?? [];
    const isForeign = (seqId: number) => !isOwn(state.bySeq.get(seqId)?.clientMsgId ?? '');
    const first = arrivals[0];
    const from = log.syncedTo.get(id) ?? (first === undefined ? Number.POSITIVE_INFINITY : first - 1);
    const came = new Set<number>();
    let highest = 0;
    for (const seqId of arrivals) {
      if (seqId < highest && seqId > from && !came.has(seqId) && isForeign(seqId)) {
        findings.add(
          'messages come over a socket in the order of their seq ids',
          `${who}: ${id}/${seqId} after ${highest}`,
        );
      }
      highest = Math.max(highest, seqId);
      came.add(seqId);
    }
    // A client can rely on a socket only after the answer to its sync.
    if (options.left.has(id) || !log.syncedTo.has(id)) continue;
    const to = log.closedAt === undefined ? state.head.seqId : highest;
    for (let seqId = from + 1; seqId <= to; seqId += 1) {
      if (came.has(seqId) || !isForeign(seqId)) continue;
      const { clientMsgId } = state.bySeq.get(seqId) ?? {};
      findings.add(
        'an open socket misses nothing',
        `${who}: ${id}/${seqId} (${clientMsgId}) never came; ${highest} did`,
      );
    }
  }
}

/** The number of messages that arrived again over the same socket. */
export function repeatsOf(log: SocketLog): number {
  return [...log.arrivals.values()].reduce((sum, seqs) => sum + seqs.length - new Set(seqs).size, 0);
}
