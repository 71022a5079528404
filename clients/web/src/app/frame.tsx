import { useConversations } from '@gochat/sdk/react';
import { lazy, Suspense, useState } from 'react';
import { ChatScreen } from '../chat/chat-screen.tsx';
import { ConversationList } from '../conversations/conversation-list.tsx';
import { useLanguage } from '../i18n/language.tsx';
import { Icon, type IconName } from '../ui/icon.tsx';
import { paths } from '../ui/paths.ts';
import { Toasts } from '../ui/toast.tsx';
import { ConnectionNote } from './connection-note.tsx';
import styles from './frame.module.css';
import { usePlace } from './router.ts';
import { useKeys } from './use-keys.ts';
import { useNotifications } from './use-notifications.ts';
import { useTitle } from './use-title.ts';

const PeopleScreen = lazy(() => import('../people/people-screen.tsx'));
const KeyHelp = lazy(() => import('./key-help.tsx'));
const SearchDialog = lazy(() => import('../search/search-dialog.tsx'));
const SettingsScreen = lazy(() => import('../settings/settings-screen.tsx'));

/** The frame of a signed-in user: the navigation, and beside it the screen that the address names. */
export function Frame() {
  const { t } = useLanguage();
  const place = usePlace();
  const [helps, setHelps] = useState(false);
  const [searches, setSearches] = useState(false);
  useTitle();
  useNotifications();
  useKeys({
    openId: place.screen === 'chats' ? place.conversationId : undefined,
    onSearch: () => setSearches(true),
    onHelp: () => setHelps(true),
  });
  const inChat = place.screen === 'chats' && place.conversationId !== undefined;
  return (
    <div className={`${styles.frame} ${inChat ? styles.inChat : ''}`}>
      <nav aria-label={t.main} className={styles.nav}>
        <NavLink href={paths.chats} icon="chats" label={t.chats} current={place.screen === 'chats'} />
        <NavLink href={paths.people} icon="people" label={t.people} current={place.screen === 'people'} />
        <NavLink
          href={paths.settings}
          icon="settings"
          label={t.settings}
          current={place.screen === 'settings'}
        />
      </nav>
      <div className={styles.note}>
        <ConnectionNote />
      </div>
      {place.screen === 'chats' ? (
        <>
          <section className={styles.list} aria-label={t.chats}>
            <ConversationList openId={place.conversationId} onSearch={() => setSearches(true)} />
          </section>
          <main className={styles.main}>
            {place.conversationId === undefined ? (
              <NothingOpen />
            ) : (
              <ChatScreen key={place.conversationId} id={place.conversationId} seq={place.seq} />
            )}
          </main>
        </>
      ) : (
        <main className={styles.wide}>
          <Suspense fallback={<p className={styles.loading}>{t.loading}</p>}>
            {place.screen === 'people' ? <PeopleScreen /> : <SettingsScreen />}
          </Suspense>
        </main>
      )}
      {searches && (
        <Suspense>
          <SearchDialog
            openId={place.screen === 'chats' ? place.conversationId : undefined}
            onClose={() => setSearches(false)}
          />
        </Suspense>
      )}
      {helps && (
        <Suspense>
          <KeyHelp onClose={() => setHelps(false)} />
        </Suspense>
      )}
      <Toasts />
    </div>
  );
}

function NavLink({
  href,
  icon,
  label,
  current,
}: {
  href: string;
  icon: IconName;
  label: string;
  current: boolean;
}) {
  return (
    <a href={href} className={styles.link} aria-current={current ? 'page' : undefined}>
      <Icon name={icon} size={22} />
      <span>{label}</span>
    </a>
  );
}

function NothingOpen() {
  const { t } = useLanguage();
  const isEmpty = useConversations().length === 0;
  return (
    <div className={styles.nothing}>
      <Icon name="chats" size={40} />
      <p>{isEmpty ? t.noConversations : t.chooseConversation}</p>
      <p className={styles.soft}>{isEmpty ? t.noConversationsHint : t.chooseConversationHint}</p>
    </div>
  );
}
