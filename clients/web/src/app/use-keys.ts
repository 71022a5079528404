import { useConversations } from '@gochat/sdk/react';
import { useEffect } from 'react';
import { go, paths } from '../ui/paths.ts';

/** The keys that work everywhere. */
export function useKeys({
  openId,
  onSearch,
  onHelp,
}: {
  openId: string | undefined;
  onSearch(): void;
  onHelp(): void;
}): void {
  const items = useConversations();
  useEffect(() => {
    function onKeyDown(event: KeyboardEvent): void {
      const { key, ctrlKey, metaKey, altKey } = event;
      if ((ctrlKey || metaKey) && !altKey && key.toLowerCase() === 'k') {
        event.preventDefault();
        onSearch();
      } else if (altKey && (key === 'ArrowDown' || key === 'ArrowUp')) {
        event.preventDefault();
        const index = items.findIndex(({ conversation }) => conversation.id === openId);
        const next = items[index + (key === 'ArrowDown' ? 1 : -1)];
        if (next) go(paths.conversation(next.conversation.id));
      } else if (key === '?' && !isTyping(event.target)) {
        event.preventDefault();
        onHelp();
      }
    }
    addEventListener('keydown', onKeyDown);
    return () => removeEventListener('keydown', onKeyDown);
  }, [items, openId, onSearch, onHelp]);
}

const isTyping = (target: EventTarget | null): boolean =>
  target instanceof HTMLElement && target.closest('input, textarea, select') !== null;
