import type { ServerFrame } from '../model/input.ts';
import { type Outgoing, sendOf } from '../model/outgoing.ts';
import { backoffMs } from '../transport/backoff.ts';
import type { Socket } from '../transport/socket.ts';
import type { Core } from './core.ts';

export interface Outbox {
  /** Sends what may be sent now. Without a socket nothing may. */
  pump(socket: Socket | undefined): void;
  /** Sends what may be sent now, on the socket at hand. */
  again(): void;
  /** Runs work, such as storing it, before which a message must not be sent. */
  after(clientMsgId: string, work: () => Promise<void>): Promise<void>;
  /** A frame was refused. Returns false if it concerns none of the outbox. */
  refused(error: Extract<ServerFrame, { type: 'error' }>['data']): boolean;
}

/** Without an acknowledgement for so long, the server is asked for a sign of life. */
const suspiciousMs = 4_000;
/** And for so long, the message is sent again, though the server is there. */
const lostMs = 30_000;
/** More than any message may have. The server closes the socket over a frame that is much larger. */
const maxLength = 8_000;

/**
 * Sends the messages of the outbox, each conversation's one after the other: a message goes out once the one before it
 * is stored, has failed for good, or was discarded. So none is ever stored before an earlier one.
 */
export function createOutbox(core: Core): Outbox {
  const { state, apply, random } = core;
  let socket: Socket | undefined;
  /** When the messages may be sent that the server refused for now, and how often it did. */
  const refusals = new Map<string, { count: number; until: number }>();
  const unsaved = new Set<string>();
  /** When the messages under way were sent. */
  const sentAt = new Map<string, number>();
  let timer: ReturnType<typeof setTimeout> | undefined;

  function pump(): void {
    clearTimeout(timer);
    timer = undefined;
    const busy = new Set<string>();
    const now = Date.now();
    let nextAt = Number.POSITIVE_INFINITY;
    for (const one of state.outbox) {
      const { clientMsgId, conversationId, status } = one;
      if (status === 'failed' || busy.has(conversationId)) continue;
      busy.add(conversationId);
      if (!socket || unsaved.has(clientMsgId)) continue;
      if (status === 'sending') nextAt = Math.min(nextAt, watch(one, now));
      else {
        const until = refusals.get(clientMsgId)?.until ?? 0;
        if (until > now) nextAt = Math.min(nextAt, until);
        else nextAt = Math.min(nextAt, send(one, socket, now));
      }
    }
    for (const id of [...refusals.keys(), ...sentAt.keys()]) if (!isWaiting(id)) forget(id);
    if (nextAt < Number.POSITIVE_INFINITY) timer = setTimeout(pump, Math.max(10, nextAt - now));
  }

  function send(one: Outgoing, over: Socket, now: number): number {
    const { status: _, failure: __, order: ___, createdAt: ____, ...frame } = one;
    const { clientMsgId } = frame;
    if (frame.content.length > maxLength) {
      fail(clientMsgId, 'MESSAGE_TOO_LARGE', 'It is too large.');
      return now;
    }
    apply({ type: 'send', clientMsgId, status: 'sending' });
    sentAt.set(clientMsgId, now);
    over.send('send-message', frame);
    return now + suspiciousMs;
  }

  /** Looks after a message under way. Returns when to look again. */
  function watch({ clientMsgId }: Outgoing, now: number): number {
    const since = sentAt.get(clientMsgId) ?? now;
    const age = now - since;
    if (age < suspiciousMs) return since + suspiciousMs;
    if (age < lostMs) {
      socket?.check();
      return now + suspiciousMs;
    }
    sentAt.delete(clientMsgId);
    delay(clientMsgId);
    return now;
  }

  /** Lets a message wait for its next try: 1, 2, 4, … 30 seconds, a half more or less. */
  function delay(clientMsgId: string): void {
    const count = (refusals.get(clientMsgId)?.count ?? 0) + 1;
    const waitMs = backoffMs(count - 1) * (0.5 + random());
    refusals.set(clientMsgId, { count, until: Date.now() + waitMs });
    apply({ type: 'send', clientMsgId, status: 'queued' });
  }

  function fail(clientMsgId: string, code: string, message: string): void {
    apply({ type: 'send', clientMsgId, status: 'failed', failure: { code, message } });
  }

  function forget(clientMsgId: string): void {
    refusals.delete(clientMsgId);
    sentAt.delete(clientMsgId);
  }

  const isWaiting = (clientMsgId: string): boolean =>
    (sendOf(state.outbox, clientMsgId)?.status ?? 'failed') !== 'failed';

  return {
    pump(over) {
      socket = over;
      if (!socket) {
        // Nobody knows whether the ones under way arrived. Sending them again is harmless.
        for (const { clientMsgId, status } of state.outbox) {
          if (status === 'sending') apply({ type: 'send', clientMsgId, status: 'queued' });
        }
        sentAt.clear();
        for (const refusal of refusals.values()) refusal.until = 0;
      }
      pump();
    },
    again: pump,
    async after(clientMsgId, work) {
      unsaved.add(clientMsgId);
      try {
        await work();
      } finally {
        unsaved.delete(clientMsgId);
        pump();
      }
    },
    refused({ code, message, clientMsgId, retryable }) {
      if (clientMsgId === undefined || !isWaiting(clientMsgId)) return false;
      sentAt.delete(clientMsgId);
      if (retryable) delay(clientMsgId);
      else fail(clientMsgId, code, message);
      pump();
      return true;
    },
  };
}
