import type { ShownMessage } from '@gochat/sdk';
import { type KeyboardEvent, memo, type PointerEvent, useState } from 'react';
import { useLanguage } from '../i18n/language.tsx';
import { nameOf } from '../people/names.ts';
import { Avatar } from '../ui/avatar.tsx';
import { Button } from '../ui/button.tsx';
import { Icon, type IconName } from '../ui/icon.tsx';
import type { MenuPlace } from '../ui/menu.tsx';
import { useChatActions } from './chat-actions.ts';
import { EditMessage } from './edit-message.tsx';
import { ActionBar, ActionMenu } from './message-actions.tsx';
import { MessageContent } from './message-content.tsx';
import styles from './message-row.module.css';
import type { MessageRowProps } from './message-row-props.ts';
import { Reactions } from './reactions.tsx';
import type { Standing } from './reading.ts';
import { ReplyQuote } from './reply-quote.tsx';

/** One message with all that belongs to it. */
export const MessageRow = memo(function MessageRow(props: MessageRowProps) {
  const { message, isOwn, isFirstOfGroup, standing, isEditing, isHighlighted, showsSender, answered } = props;
  const { t, times } = useLanguage();
  const [isNear, setNear] = useState(false);
  const [menuAt, setMenuAt] = useState<MenuPlace>();
  const name = nameOf(message.sender);
  const time = times.clock(message.createdAt);
  const hasActions = !message.deleted && message.status === undefined && !isEditing;
  const near = (event: PointerEvent) => event.pointerType !== 'touch' && setNear(true);

  return (
    <article
      aria-label={`${name}, ${time}`}
      tabIndex={props.isLast ? 0 : -1}
      className={`${styles.row} ${isOwn ? styles.own : ''} ${isFirstOfGroup ? styles.first : ''} ${isHighlighted ? styles.highlighted : ''}`}
      onPointerEnter={near}
      onPointerLeave={() => setNear(false)}
      onFocus={() => setNear(true)}
      onBlur={(event) => !event.currentTarget.contains(event.relatedTarget) && setNear(false)}
      onContextMenu={(event) => {
        const element = event.target;
        // Links, pictures and selected text keep the browser's own menu.
        if (
          !hasActions ||
          (element instanceof Element && element.closest('a, textarea')) ||
          !getSelection()?.isCollapsed
        )
          return;
        event.preventDefault();
        setMenuAt({ x: event.clientX, y: event.clientY });
      }}
      onKeyDown={(event) => {
        if (event.target !== event.currentTarget || !hasActions || !opensMenu(event)) return;
        event.preventDefault();
        setMenuAt(event.currentTarget.querySelector('[data-bubble]') ?? event.currentTarget);
      }}
    >
      {!isOwn && showsSender && (
        <span className={styles.picture}>
          {isFirstOfGroup && <Avatar name={name} url={message.sender.avatarUrl} size={34} />}
        </span>
      )}
      <div className={styles.column}>
        <div className={styles.bubble} data-bubble>
          {!isOwn && showsSender && isFirstOfGroup && (
            <p className={styles.name} dir="auto">
              {name}
            </p>
          )}
          {message.replyToSeqId !== undefined && !message.deleted && (
            <ReplyQuote seqId={message.replyToSeqId} answered={answered} />
          )}
          {isEditing ? (
            <EditMessage message={message} />
          ) : (
            <MessageContent message={message} names={props.names} />
          )}
          <p className={styles.meta}>
            {message.pinned && <Icon name="pin" size={12} />}
            {message.editedAt !== undefined && <span>{t.edited}</span>}
            <time dateTime={new Date(message.createdAt).toISOString()} title={times.full(message.createdAt)}>
              {time}
            </time>
            {standing && <StandingMark standing={standing} />}
          </p>
        </div>
        {message.reactions && message.reactions.length > 0 && !message.deleted && (
          <Reactions message={message} myId={props.myId} names={props.names} />
        )}
        {standing === 'failed' && <FailedNote message={message} />}
      </div>
      {hasActions && isNear && !menuAt && <ActionBar {...props} onMenu={setMenuAt} />}
      {menuAt && <ActionMenu {...props} at={menuAt} onClose={() => setMenuAt(undefined)} />}
    </article>
  );
});

const opensMenu = ({ key, shiftKey }: KeyboardEvent): boolean =>
  key === 'ContextMenu' || key === 'Enter' || (key === 'F10' && shiftKey);

const marks: Record<Standing, IconName> = {
  sending: 'clock',
  sent: 'check',
  read: 'checks',
  failed: 'warning',
};

function StandingMark({ standing }: { standing: Standing }) {
  const { t } = useLanguage();
  const words = { sending: t.sending, sent: t.sent, read: t.read, failed: t.notSent };
  return (
    <span className={`${styles.standing} ${styles[standing]}`} title={words[standing]}>
      <Icon name={marks[standing]} size={14} />
      <span className={standing === 'sent' || standing === 'read' ? 'unseen' : undefined}>
        {words[standing]}
      </span>
    </span>
  );
}

function FailedNote({ message }: { message: ShownMessage }) {
  const { t } = useLanguage();
  const { retry, discard } = useChatActions();
  return (
    <div className={styles.failure}>
      {message.error && <p>{message.error.message}</p>}
      <Button small onClick={() => retry(message)}>
        {t.tryAgain}
      </Button>
      <Button small onClick={() => discard(message)}>
        {t.discard}
      </Button>
    </div>
  );
}
