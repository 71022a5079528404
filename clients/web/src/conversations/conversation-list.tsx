import type { ConversationItem } from '@gochat/sdk';
import { useConnection, useConversations } from '@gochat/sdk/react';
import { lazy, memo, Suspense, useDeferredValue, useState } from 'react';
import { useLanguage } from '../i18n/language.tsx';
import { nameOf } from '../people/names.ts';
import { useMe } from '../session/me.ts';
import { Avatar } from '../ui/avatar.tsx';
import { Button, IconButton } from '../ui/button.tsx';
import { SearchField } from '../ui/field.tsx';
import { Icon } from '../ui/icon.tsx';
import { go, paths } from '../ui/paths.ts';
import styles from './conversation-list.module.css';
import { conversationType, previewOf, titleOf } from './words.ts';

const NewGroupDialog = lazy(() => import('./new-group-dialog.tsx'));

/** All conversations, the latest first; the open one is marked. */
export function ConversationList({ openId, onSearch }: { openId: string | undefined; onSearch(): void }) {
  const { t } = useLanguage();
  const items = useConversations();
  const [filter, setFilter] = useState('');
  const [makesGroup, setMakesGroup] = useState(false);
  const wanted = useDeferredValue(filter.trim().toLocaleLowerCase());
  const shown =
    wanted === ''
      ? items
      : items.filter(({ conversation }) => titleOf(conversation, t).toLocaleLowerCase().includes(wanted));
  return (
    <>
      <header className={styles.head}>
        <SearchField
          label={t.filterConversations}
          value={filter}
          onChange={(event) => setFilter(event.target.value)}
        />
        <IconButton icon="search" label={t.search} onClick={onSearch} />
        <IconButton icon="plus" label={t.newGroup} onClick={() => setMakesGroup(true)} />
      </header>
      <ul className={styles.list} aria-label={t.conversations}>
        {shown.map((item) => (
          <Row key={item.conversation.id} item={item} isOpen={item.conversation.id === openId} />
        ))}
        {items.length === 0 && (
          <li>
            <NoConversations />
          </li>
        )}
      </ul>
      {makesGroup && (
        <Suspense>
          <NewGroupDialog onClose={() => setMakesGroup(false)} />
        </Suspense>
      )}
    </>
  );
}

const Row = memo(function Row({ item, isOpen }: { item: ConversationItem; isOpen: boolean }) {
  const { t, times } = useLanguage();
  const me = useMe();
  const { conversation, unreadCount, lastMessage, draft } = item;
  const title = titleOf(conversation, t);
  const { peer } = conversation;
  const isQuiet = conversation.notifications === 'none';
  return (
    <li className={styles.item}>
      <a
        href={paths.conversation(conversation.id)}
        className={styles.row}
        aria-current={isOpen ? 'page' : undefined}
      >
        <Avatar name={title} url={peer?.avatarUrl ?? conversation.avatarUrl} size={44} />
        <span className={styles.name} dir="auto">
          {title}
        </span>{' '}
        <span className={styles.time}>{lastMessage ? times.brief(lastMessage.createdAt) : ''}</span>{' '}
        <span className={styles.preview} dir="auto">
          {draft !== '' && !isOpen ? (
            <>
              <span className={styles.draft}>{t.draft}</span> {draft}
            </>
          ) : (
            lastMessage && `${senderOf(item, me.id, t.you)}${previewOf(lastMessage, t)}`
          )}
        </span>{' '}
        {unreadCount > 0 && (
          <span className={`${styles.badge} ${isQuiet ? styles.quiet : ''}`}>
            <span aria-hidden="true">{unreadCount > 999 ? '999+' : unreadCount}</span>
            <span className="unseen">{t.unread(unreadCount)}</span>
          </span>
        )}
        {unreadCount === 0 && conversation.pinned && (
          <span className={styles.mark}>
            <Icon name="pin" size={14} />
          </span>
        )}
      </a>
    </li>
  );
});

/** In a group one wants to know who has said it. */
function senderOf({ conversation, lastMessage }: ConversationItem, myId: string, you: string): string {
  if (!lastMessage || lastMessage.deleted) return '';
  if (lastMessage.sender.id === myId) return `${you} `;
  return conversation.type === conversationType.single ? '' : `${nameOf(lastMessage.sender)}: `;
}

function NoConversations() {
  const { t } = useLanguage();
  const { state } = useConnection();
  if (state === 'connecting') {
    return (
      <div className={styles.waiting} aria-hidden="true">
        {Array.from({ length: 8 }, (_, index) => (
          // biome-ignore lint/suspicious/noArrayIndexKey: they are all the same.
          <span key={index} className={styles.ghost} />
        ))}
      </div>
    );
  }
  return (
    <div className={styles.empty}>
      <p>{t.noConversations}</p>
      <Button kind="main" onClick={() => go(paths.people)}>
        {t.findPeople}
      </Button>
    </div>
  );
}
