import type { Calls } from '../wire/wire.ts';
import type { ActionDeps } from './people.ts';

/** Changes of messages that are stored. */
export function createMessageActions({ api, dispatch, state }: ActionDeps) {
  const at = (id: string, messageId: number) => ({ id, messageId: String(messageId) });

  return {
    async edit(
      id: string,
      messageId: number,
      { text: content, metadata }: { text?: string; metadata?: Record<string, unknown> },
    ): Promise<void> {
      const body: Calls['PATCH /conversations/{id}/messages/{messageId}']['body'] = { content, metadata };
      const { message } = await api('PATCH /conversations/{id}/messages/{messageId}', {
        path: at(id, messageId),
        body,
      });
      await dispatch({ type: 'message', message });
    },
    async recall(id: string, messageId: number): Promise<void> {
      await api('DELETE /conversations/{id}/messages/{messageId}', { path: at(id, messageId) });
      const held = state.conversations.get(id)?.messages.find((one) => one.id === messageId);
      const data = { conversationId: id, messageId, seqId: held?.seqId ?? 0, by: state.me?.id ?? '' };
      await dispatch({ type: 'frame', frame: { type: 'message-recalled', data } });
    },
    react: (id: string, messageId: number, emoji: string): Promise<void> =>
      api('PUT /conversations/{id}/messages/{messageId}/reactions/{emoji}', {
        path: { ...at(id, messageId), emoji },
      }),
    unreact: (id: string, messageId: number, emoji: string): Promise<void> =>
      api('DELETE /conversations/{id}/messages/{messageId}/reactions/{emoji}', {
        path: { ...at(id, messageId), emoji },
      }),
  };
}
