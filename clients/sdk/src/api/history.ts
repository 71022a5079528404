import { firstSeqOf } from '../model/conversation-state.ts';
import type { ActionDeps } from './people.ts';

const pageSize = 50;
const largestPage = 200;

/** Older messages of a conversation, which are loaded when somebody looks at them. */
export function createHistory({ api, dispatch, state }: ActionDeps) {
  const loading = new Map<string, Promise<boolean>>();

  const known = (id: string) => state.conversations.get(id);
  const firstSeq = (id: string) => {
    const one = known(id);
    return one ? firstSeqOf(one) : 1;
  };

  async function loadPage(id: string, limit: number): Promise<boolean> {
    const beforeSeq = firstSeq(id);
    if (beforeSeq <= 1) return false;
    const changeSeq = known(id)?.changeSeq;
    const { messages } = await api('GET /conversations/{id}/messages', {
      path: { id },
      query: { beforeSeq, limit },
    });
    // A change that came meanwhile may be missing in the page, and would never come again.
    if (known(id)?.changeSeq !== changeSeq) return loadPage(id, limit);
    await dispatch({ type: 'older', conversationId: id, messages });
    return firstSeq(id) < beforeSeq;
  }

  /** Two who ask at the same time get the same page. */
  function load(id: string, limit: number): Promise<boolean> {
    const running = loading.get(id) ?? loadPage(id, limit).finally(() => loading.delete(id));
    loading.set(id, running);
    return running;
  }

  return {
    loadOlder: (id: string) => load(id, pageSize),
    async jumpTo(id: string, seqId: number): Promise<boolean> {
      while (firstSeq(id) > seqId) if (!(await load(id, largestPage))) return false;
      return known(id)?.messages.some((message) => message.seqId === seqId) ?? false;
    },
  };
}
