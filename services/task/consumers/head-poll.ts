import type { LiveConversations } from '../../../activities/fanout-messages/live-conversations.ts';
import type { RepoClient } from '../../../lib/grpc/clients.ts';
import type { Logger } from '../../../lib/log.ts';

const everyMs = 250;
const idsPerCall = 500;

/**
 * Polls the heads of the conversations with an activity in this process, up to 500 per call. This is needed since
 * another process may consume their tasks, and it cannot wake activities here. Makes no call while there are none.
 */
export function pollHeads(deps: { repo: RepoClient; live: LiveConversations; log: Logger }) {
  const { repo, live, log } = deps;
  let stopped = false;

  async function poll(): Promise<void> {
    const ids = live.ids();
    for (let from = 0; from < ids.length; from += idsPerCall) {
      const conversationIds = ids.slice(from, from + idsPerCall);
      const { progress } = await repo.conversations.getFanoutProgress({ conversationIds });
      for (const { conversationId, lastSeqId } of progress) live.seen(conversationId, lastSeqId);
    }
  }

  function next(): void {
    if (stopped) return;
    setTimeout(() => {
      poll()
        .catch((error: unknown) => log.warn({ err: error }, 'cannot read the heads of live conversations'))
        .then(next);
    }, everyMs).unref();
  }
  next();

  return {
    stop() {
      stopped = true;
    },
  };
}
