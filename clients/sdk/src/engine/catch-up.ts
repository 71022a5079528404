import type { SyncAnswer } from '../model/input.ts';
import { pause } from '../transport/backoff.ts';
import { allPages } from '../transport/pages.ts';
import type { Conversation } from '../wire/wire.ts';
import type { Core } from './core.ts';

/** The first sync brings the newest messages of the newest conversations; older ones are loaded when somebody looks. */
const firstConversations = 60;
const firstMessages = 30;
const partialWaitMs = 2_000;

/** Brings the model up to date by /sync; a client without any conversations lists them first. */
export async function catchUp({ state, api, apply }: Core, signal: AbortSignal): Promise<void> {
  if (state.since === undefined) await listAll();
  for (let more = true; more && !signal.aborted; ) {
    const cursors = Object.fromEntries([...state.conversations].map(([id, { cursor }]) => [id, cursor]));
    const changes = Object.fromEntries(
      [...state.conversations].map(([id, { changeSeq }]) => [id, changeSeq]),
    );
    const { since } = state;
    const answer: SyncAnswer = await api('POST /sync', { body: { cursors, changes, since } });
    if (signal.aborted) return;
    apply({ type: 'synced', answer });
    more = answer.hasMore || answer.moreChanges === true || answer.partial === true;
    if (answer.partial) await pause(partialWaitMs).ended;
  }

  async function listAll(): Promise<void> {
    const listed = await allPages((query) => api('GET /conversations', { query }), 'conversations');
    if (signal.aborted) return;
    apply({ type: 'listed', conversations: listed });
    await readNewest(listed);
  }

  /** The newest messages of all conversations come by one sync, which is asked as if only they were missing. */
  async function readNewest(listed: readonly Conversation[]): Promise<void> {
    const shown = new Set(listed.slice(0, firstConversations).map(({ id }) => id));
    const cursors = Object.fromEntries(
      listed.map(({ id, lastSeqId }) => [
        id,
        shown.has(id) ? Math.max(0, lastSeqId - firstMessages) : lastSeqId,
      ]),
    );
    const answer = await api('POST /sync', { body: { cursors } });
    if (signal.aborted) return;
    for (const { conversation, messages } of answer.conversations) {
      const known = state.conversations.get(conversation.id);
      if (!known || !shown.has(conversation.id)) continue;
      const history = messages.filter(({ seqId }) => seqId <= known.cursor);
      apply({ type: 'older', conversationId: conversation.id, messages: history });
    }
    apply({ type: 'synced', answer });
  }
}
