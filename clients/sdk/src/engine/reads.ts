import { backoffMs, pause } from '../transport/backoff.ts';
import { asGoChatError } from '../transport/errors.ts';
import type { Core } from './core.ts';

export interface Reads {
  /** Tells the server what was read here, while the client is online. */
  tell(isOnline: boolean): void;
}

/** Reading is told conversation by conversation, always the furthest, until the server has taken it. */
export function createReads(core: Core, refetch: (conversationId: string) => void): Reads {
  const { state, api, apply, report } = core;
  const busy = new Set<string>();
  let isOnline = false;

  async function tellOne(id: string): Promise<void> {
    busy.add(id);
    for (let failures = 0; isOnline; ) {
      const seqId = state.untoldReads.get(id);
      if (seqId === undefined) break;
      try {
        const { unreadCount } = await api('PUT /conversations/{id}/read', { path: { id }, body: { seqId } });
        if (!isOnline) break;
        apply({ type: 'read-told', conversationId: id, seqId });
        const shown = state.conversations.get(id)?.conversation;
        if (shown?.lastReadSeqId === seqId && shown.unreadCount !== unreadCount) refetch(id);
        failures = 0;
      } catch (error) {
        if (!isOnline) break;
        const known = asGoChatError(error);
        if (!known.retryable) {
          apply({ type: 'read-told', conversationId: id, seqId });
          refetch(id);
          report(known);
          break;
        }
        await pause(known.retryAfterMs ?? backoffMs(failures) * (0.5 + core.random())).ended;
        failures += 1;
      }
    }
    busy.delete(id);
  }

  return {
    tell(online) {
      isOnline = online;
      if (!isOnline) return;
      for (const id of state.untoldReads.keys()) if (!busy.has(id)) tellOne(id);
    },
  };
}
