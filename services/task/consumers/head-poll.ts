import type { LiveConversations } from '../../../activities/fanout-messages/live-conversations.ts';
import type { RepoClient } from '../../../lib/grpc/clients.ts';
import type { Logger } from '../../../lib/log.ts';

const everyMs = 250;
const idsPerCall = 500;

/**
 * Looks at the heads of the conversations that are live here, all in one call: their tasks may have come to another
 * process, which can't wake them. Costs nothing while none is live.
 */
export function pollHeads(deps: { repo: RepoClient; live: LiveConversations; log: Logger }) {
  const { repo, live, log } = deps;
  let stopped = false;

  async function look(): Promise<void> {
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
      look()
        .catch((error: unknown) => log.warn({ err: error }, 'cannot look at the heads'))
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
