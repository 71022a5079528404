import type { Conversation } from '@gochat/sdk';
import { conversationType, titleOf } from '../conversations/words.ts';
import { useLanguage } from '../i18n/language.tsx';
import { Avatar } from '../ui/avatar.tsx';
import { IconButton } from '../ui/button.tsx';
import { go, paths } from '../ui/paths.ts';
import styles from './chat-header.module.css';
import { usePresence } from './use-presence.ts';

/** The name of a conversation, and what is known of the other side. */
export function ChatHeader({
  conversation,
  showsDetails,
  onDetails,
}: {
  conversation: Conversation;
  showsDetails: boolean;
  onDetails(): void;
}) {
  const { t } = useLanguage();
  const title = titleOf(conversation, t);
  return (
    <header className={styles.header}>
      <span className={styles.back}>
        <IconButton icon="back" label={t.back} onClick={() => go(paths.chats)} />
      </span>
      <Avatar name={title} url={conversation.peer?.avatarUrl ?? conversation.avatarUrl} size={38} />
      <div className={styles.names}>
        <h1 dir="auto">{title}</h1>
        <p className={styles.under}>
          {conversation.type === conversationType.single
            ? conversation.peer && <PeerPresence userId={conversation.peer.id} />
            : t.memberCount(conversation.memberCount)}
        </p>
      </div>
      <IconButton icon="info" label={t.details} aria-expanded={showsDetails} onClick={onDetails} />
    </header>
  );
}

function PeerPresence({ userId }: { userId: string }) {
  const { t, times } = useLanguage();
  const presence = usePresence(userId);
  if (!presence) return null;
  if (presence.online) return <span className={styles.online}>{t.online}</span>;
  return presence.lastActiveAt > 0 ? t.offlineSince(times.ago(presence.lastActiveAt)) : t.offlineNow;
}
