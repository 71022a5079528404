import { firstSeqOf } from '../model/conversation-state.ts';
import type { State } from '../model/input.ts';
import type { Picture } from '../model/picture.ts';

/**
 * Takes over the state of the tab that leads, and tells the messages that this tab has not told yet. `waiting` are sends
 * of this tab that the leading one may not know yet.
 */
export const replaceState =
  (state: State, next: State, waiting: readonly string[]) =>
  ({ get, put, take, remove }: Picture): void => {
    for (const id of [...state.conversations.keys()]) if (!next.conversations.has(id)) remove(id);
    for (const [id, one] of next.conversations) {
      const isKnown = get(id) !== undefined;
      take(id, one.messages);
      const first = firstSeqOf(one);
      const mine = get(id);
      const older = mine?.messages.filter(({ seqId }) => seqId < first) ?? [];
      // What this tab has loaded to look at it stays.
      const fits = isKnown && mine && older.at(-1)?.seqId === first - 1;
      put(fits ? { ...one, messages: [...older, ...one.messages], kept: mine.kept } : one);
    }
    const known = new Set(next.outbox.map(({ clientMsgId }) => clientMsgId));
    const own = state.outbox.filter(({ clientMsgId: id }) => waiting.includes(id) && !known.has(id));
    const { me, since, drafts, untoldReads, uncertain } = next;
    Object.assign(state, { me, since, drafts, untoldReads, uncertain, outbox: [...next.outbox, ...own] });
  };
