import type { ShownMessage } from '@gochat/sdk';
import { useLanguage } from '../i18n/language.tsx';
import { useChatActions } from './chat-actions.ts';
import styles from './reactions.module.css';

/** The reactions to a message; a press adds or takes away one's own. */
export function Reactions({
  message,
  myId,
  names,
}: {
  message: ShownMessage;
  myId: string;
  names: ReadonlyMap<string, string>;
}) {
  const { t, list } = useLanguage();
  const { toggleReaction } = useChatActions();
  return (
    <div className={styles.reactions}>
      {message.reactions?.map(({ emoji, count, userIds }) => {
        const isMine = userIds.includes(myId);
        const known = userIds.flatMap((id) => names.get(id) ?? []);
        const rest = count - known.length;
        const who = list(rest > 0 && known.length > 0 ? [...known, t.andMore(rest)] : known);
        return (
          <button
            key={emoji}
            type="button"
            className={styles.reaction}
            aria-pressed={isMine}
            aria-label={t.reactedBy(emoji, count, who)}
            title={who}
            onClick={() => toggleReaction(message, emoji, !isMine)}
          >
            {emoji} <span>{count}</span>
          </button>
        );
      })}
    </div>
  );
}
