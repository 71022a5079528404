import { messageType } from '../conversations/words.ts';
import { useLanguage } from '../i18n/language.tsx';
import { IconButton } from '../ui/button.tsx';
import { Icon } from '../ui/icon.tsx';
import { Menu, type MenuItem, type MenuPlace, moveFocus } from '../ui/menu.tsx';
import { type ChatActions, useChatActions } from './chat-actions.ts';
import styles from './message-actions.module.css';
import type { MessageRowProps } from './message-row-props.ts';

/** The actions beside a message that is pointed at or focused: each by one click, and all of them as a menu with words. */
export function ActionBar(props: MessageRowProps & { onMenu(at: MenuPlace): void }) {
  const { t } = useLanguage();
  const items = useItems(props);
  return (
    <div className={`${styles.bar} ${props.isOwn ? styles.beforeOwn : ''}`}>
      <div role="menu" aria-label={t.messageActions} className={styles.quick} onKeyDown={moveFocus}>
        {items.map(({ label, icon, run }) => (
          <button
            key={label}
            type="button"
            role="menuitem"
            tabIndex={-1}
            aria-label={label}
            title={label}
            onClick={run}
          >
            {icon && <Icon name={icon} size={17} />}
          </button>
        ))}
      </div>
      <IconButton
        icon="more"
        size={17}
        label={t.messageActions}
        aria-haspopup="menu"
        onClick={({ currentTarget }) => {
          const place = endOf(currentTarget);
          // The button goes; the message is where the focus comes back to.
          currentTarget.closest('article')?.focus({ preventScroll: true });
          props.onMenu(place);
        }}
      />
    </div>
  );
}

/** The bar goes when the menu opens, so the menu needs a point. */
function endOf(button: Element): MenuPlace {
  const { right, bottom } = button.getBoundingClientRect();
  return { x: right, y: bottom };
}

export function ActionMenu(props: MessageRowProps & { at: MenuPlace; onClose(): void }) {
  const { t } = useLanguage();
  const items = useItems(props);
  return <Menu label={t.messageActions} at={props.at} items={items} onClose={props.onClose} />;
}

function useItems(props: MessageRowProps): MenuItem[] {
  const { t } = useLanguage();
  return itemsFor(props, useChatActions(), t);
}

/** What this user may do with a message. The server has the last word. */
function itemsFor(
  { message, isOwn, mayPin, mayRecall }: MessageRowProps,
  actions: ChatActions,
  t: ReturnType<typeof useLanguage>['t'],
): MenuItem[] {
  const isText = message.messageType === messageType.text;
  const items: (MenuItem | false)[] = [
    { label: t.reply, icon: 'reply', run: () => actions.reply(message) },
    { label: t.react, icon: 'smile', run: () => actions.pickReaction(message) },
    isOwn && isText && { label: t.edit, icon: 'edit', run: () => actions.edit(message) },
    mayPin && { label: message.pinned ? t.unpin : t.pin, icon: 'pin', run: () => actions.pin(message) },
    isText && { label: t.copyText, icon: 'copy', run: () => actions.copy(message) },
    (isOwn || mayRecall) && {
      label: t.recall,
      icon: 'recall',
      isDangerous: true,
      run: () => actions.askRecall(message),
    },
  ];
  return items.filter((item) => item !== false);
}
