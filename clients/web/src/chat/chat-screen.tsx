// Room: an open conversation: its messages, what can be done with them, and the field to write. How conversations are
// listed is elsewhere.

import type { ShownMessage } from '@gochat/sdk';
import { useConnection, useConversation } from '@gochat/sdk/react';
import { lazy, Suspense, useCallback, useEffect, useRef, useState } from 'react';
import { conversationType } from '../conversations/words.ts';
import { useLanguage } from '../i18n/language.tsx';
import { ChatActionsContext } from '../messages/chat-actions.ts';
import { MessageList, type MessageListHandle } from '../messages/message-list.tsx';
import { keyOf, readSeqOf, typistNames } from '../messages/reading.ts';
import { useMe } from '../session/me.ts';
import { Question } from '../ui/dialog.tsx';
import { ChatHeader } from './chat-header.tsx';
import styles from './chat-screen.module.css';
import { Composer, type ComposerHandle } from './composer.tsx';
import { DropZone } from './drop-zone.tsx';
import { useAttachments } from './use-attachments.ts';
import { useChat } from './use-chat.ts';
import { useNames } from './use-names.ts';
import { useUnreadMark } from './use-unread-mark.ts';

const DetailsPanel = lazy(() => import('../details/details-panel.tsx'));
const EmojiPicker = lazy(() => import('../emoji/emoji-picker.tsx'));

/** A conversation. With a `seq` it opens at that message. */
export function ChatScreen({ id, seq }: { id: string; seq: number | undefined }) {
  const { t, list } = useLanguage();
  const me = useMe();
  const view = useConversation(id);
  const { room, conversation, messages, hasOlder, unreadCount, typing, members, draft } = view;
  const messageList = useRef<MessageListHandle>(null);
  const composer = useRef<ComposerHandle>(null);
  const chat = useChat({ room, messageList, composer });
  const { replyTo, editing, reactTo, recalling, actions } = chat;
  const names = useNames(messages, members, conversation);
  const unreadFrom = useUnreadMark(view, me.id);
  const attachments = useAttachments(room);
  const [isAtEnd, setAtEnd] = useState(true);
  const [showsDetails, setShowsDetails] = useState(false);
  const { state } = useConnection();

  useMembers(view);
  useJump(seq, actions.jumpTo, messages.length > 0);
  const loadOlder = useCallback(() => room.loadOlder(), [room]);
  const onSeen = useCallback((seqId: number) => room.markRead(seqId), [room]);

  if (!conversation) {
    const isLookedFor = state === 'connecting';
    return <p className={styles.missing}>{isLookedFor ? t.loading : t.notFound}</p>;
  }
  const isSingle = conversation.type === conversationType.single;
  const mayManage = conversation.role >= 2;
  const typists = typistNames(typing, messages, members, conversation);
  const closed = conversation.muted
    ? t.mutedHere
    : conversation.settings.muteAll && !mayManage
      ? t.onlyAdminsWrite
      : undefined;

  return (
    <ChatActionsContext value={actions}>
      <DropZone onFiles={attachments.add}>
        <ChatHeader
          conversation={conversation}
          showsDetails={showsDetails}
          onDetails={() => setShowsDetails(!showsDetails)}
        />
        <MessageList
          ref={messageList}
          messages={messages}
          hasOlder={hasOlder}
          myId={me.id}
          readSeq={readSeqOf(view, conversation, me.id)}
          unreadFrom={unreadFrom}
          unreadCount={unreadCount}
          editingKey={editing && keyOf(editing, me.id)}
          showsSenders={!isSingle}
          mayPin={isSingle || mayManage}
          mayRecall={!isSingle && mayManage}
          names={names}
          loadOlder={loadOlder}
          onSeen={onSeen}
          onAtEnd={setAtEnd}
          onJump={actions.jumpTo}
        />
        <p className={styles.typing} aria-live="polite">
          {typists.length > 0 &&
            (typists.length === 1 ? t.isTyping(list(typists)) : t.areTyping(list(typists)))}
        </p>
        {closed ? (
          <p className={styles.closed}>{closed}</p>
        ) : (
          <Composer
            ref={composer}
            room={room}
            draft={draft}
            members={members}
            attachments={attachments}
            replyTo={replyTo}
            onCancelReply={chat.cancelReply}
            onSend={(message) => chat.send(message, isAtEnd)}
            onEditLast={() => chat.editLast(lastOwn(messages, me.id))}
          />
        )}
      </DropZone>
      {showsDetails && (
        <Suspense>
          <DetailsPanel id={id} onClose={() => setShowsDetails(false)} onJump={actions.jumpTo} />
        </Suspense>
      )}
      {recalling && (
        <Question
          title={t.recallQuestion}
          hint={t.recallHint}
          action={t.recall}
          onYes={() => chat.recall(recalling)}
          onClose={chat.closeRecall}
        />
      )}
      {reactTo && (
        <Suspense>
          <EmojiPicker
            title={t.pickReaction}
            onPick={(emoji) => actions.toggleReaction(reactTo, emoji, true)}
            onClose={chat.closeReactions}
          />
        </Suspense>
      )}
    </ChatActionsContext>
  );
}

const lastOwn = (messages: readonly ShownMessage[], myId: string): ShownMessage | undefined =>
  messages.findLast(
    ({ sender, deleted, status, messageType }) =>
      sender.id === myId && !deleted && status === undefined && messageType === 1,
  );

/** So many members are loaded to show who has read, who types and whom one may mention. */
const maxMembersLoaded = 500;

function useMembers({ room, conversation }: ReturnType<typeof useConversation>): void {
  const { state } = useConnection();
  const { type, memberCount = 0 } = conversation ?? {};
  const isWanted = state === 'online' && type !== conversationType.world && memberCount <= maxMembersLoaded;
  useEffect(() => {
    // Without them names are those of the messages.
    if (isWanted && memberCount > 0) room.loadMembers().catch(() => {});
  }, [room, isWanted, memberCount]);
}

/** Goes to the message that the address names, once there are messages. */
function useJump(seq: number | undefined, jumpTo: (seqId: number) => void, isReady: boolean): void {
  useEffect(() => {
    if (seq !== undefined && isReady) jumpTo(seq);
  }, [seq, jumpTo, isReady]);
  useEffect(() => {
    if (seq === undefined) return;
    // A link to where one is already changes no address, and yet leads there again.
    const again = ({ target }: MouseEvent) => {
      if (target instanceof Element && target.closest('a')?.href === location.href) jumpTo(seq);
    };
    document.addEventListener('click', again);
    return () => document.removeEventListener('click', again);
  }, [seq, jumpTo]);
}
