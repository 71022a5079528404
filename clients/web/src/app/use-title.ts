import { useConversations } from '@gochat/sdk/react';
import { useEffect } from 'react';
import { useLanguage } from '../i18n/language.tsx';

/** Shows how much is unread in the title of the page, and on its icon where it is installed. */
export function useTitle(): void {
  const { t } = useLanguage();
  const unread = useConversations().reduce(
    (sum, { conversation, unreadCount }) => sum + (conversation.notifications === 'none' ? 0 : unreadCount),
    0,
  );
  useEffect(() => {
    document.title = unread > 0 ? `(${unread}) ${t.appName}` : t.appName;
    const badge = navigator as Navigator & { setAppBadge?(count: number): Promise<void> };
    badge.setAppBadge?.(unread).catch(() => {});
  }, [unread, t]);
  // Who signs out leaves no number behind.
  useEffect(
    () => () => {
      document.title = t.appName;
    },
    [t],
  );
}
