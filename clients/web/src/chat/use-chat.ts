import type { Room, ShownMessage, Upload } from '@gochat/sdk';
import { useClient } from '@gochat/sdk/react';
import { type RefObject, useCallback, useMemo, useRef, useState } from 'react';
import { useLanguage } from '../i18n/language.tsx';
import type { ChatActions } from '../messages/chat-actions.ts';
import type { MessageListHandle } from '../messages/message-list.tsx';
import { sentenceOf } from '../session/errors.ts';
import { toast } from '../ui/toast.tsx';
import type { ComposerHandle } from './composer.tsx';

/** What is under way in a conversation (a reply, an edit, a question), and what its messages can do. */
export function useChat({
  room,
  messageList,
  composer,
}: {
  room: Room;
  messageList: RefObject<MessageListHandle | null>;
  composer: RefObject<ComposerHandle | null>;
}) {
  const { t } = useLanguage();
  const client = useClient();
  const [replyTo, setReplyTo] = useState<ShownMessage>();
  const [editing, setEditing] = useState<ShownMessage>();
  const [reactTo, setReactTo] = useState<ShownMessage>();
  const [recalling, setRecalling] = useState<ShownMessage>();
  const texts = useRef(t);
  texts.current = t;

  /** Tells when something was refused; the SDK has put back what is true. */
  const told = useCallback((work: Promise<unknown>) => {
    work.catch((error) => toast(sentenceOf(error, texts.current), { isError: true }));
  }, []);

  const actions = useMemo<ChatActions>(() => {
    const focusComposer = () => requestAnimationFrame(() => composer.current?.focus());
    return {
      reply(message) {
        setReplyTo(message);
        focusComposer();
      },
      edit(message) {
        setEditing(message);
        if (!message) focusComposer();
      },
      saveEdit(message, text) {
        const next = text.trim();
        if (next === '') return;
        setEditing(undefined);
        focusComposer();
        if (next !== message.content) told(room.edit(message.id, { text: next }));
      },
      pickReaction: setReactTo,
      toggleReaction: (message, emoji, isOn) =>
        told(isOn ? room.react(message.id, emoji) : room.unreact(message.id, emoji)),
      askRecall: setRecalling,
      pin(message) {
        const path = { id: room.id, messageId: String(message.id) };
        told(
          message.pinned
            ? client.call('DELETE /conversations/{id}/pins/{messageId}', { path })
            : client.call('PUT /conversations/{id}/pins/{messageId}', { path }),
        );
      },
      copy: (message) =>
        told(navigator.clipboard.writeText(message.content).then(() => toast(texts.current.copied))),
      retry: (message) => room.sent(message.clientMsgId).retry(),
      discard: (message) => room.sent(message.clientMsgId).discard(),
      jumpTo(seqId) {
        const show = () => requestAnimationFrame(() => messageList.current?.toSeq(seqId));
        if (messageList.current?.toSeq(seqId)) return;
        // The list shows a message once the one before it is loaded, too.
        told(room.jumpTo(Math.max(1, seqId - 1)).then(show));
      },
    };
  }, [room, client, told, composer, messageList]);

  return {
    replyTo,
    editing,
    reactTo,
    recalling,
    actions,
    cancelReply: () => setReplyTo(undefined),
    closeReactions: () => setReactTo(undefined),
    closeRecall: () => setRecalling(undefined),
    recall: (message: ShownMessage) => told(room.recall(message.id)),
    editLast: (message: ShownMessage | undefined) => message && setEditing(message),
    send(message: { text?: string; mentions?: string[]; files?: Upload[] }, isAtEnd: boolean) {
      // A refusal is shown beside the message.
      room.send({ ...message, ...(replyTo ? { replyTo: replyTo.seqId } : {}) });
      setReplyTo(undefined);
      if (!isAtEnd) requestAnimationFrame(() => messageList.current?.toLatest());
    },
  };
}
