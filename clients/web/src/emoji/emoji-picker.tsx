import { useDeferredValue, useEffect, useState } from 'react';
import { useLanguage } from '../i18n/language.tsx';
import { Button } from '../ui/button.tsx';
import { Dialog } from '../ui/dialog.tsx';
import { SearchField } from '../ui/field.tsx';
import { type Emoji, findEmoji, loadEmoji } from './emoji-data.ts';
import styles from './emoji-picker.module.css';

const usual = ['👍', '❤️', '😂', '🎉', '😮', '😢', '🙏', '👀', '✅', '🔥', '👏', '🤔', '💯', '🚀', '😅', '👎'];
const mostFound = 80;

/** A dialog to choose an emoji: the usual ones at once, all others when asked for, or by their names. */
export default function EmojiPicker({
  title,
  onPick,
  onClose,
}: {
  title: string;
  onPick(emoji: string): void;
  onClose(): void;
}) {
  const { t, name: language } = useLanguage();
  const [all, setAll] = useState<readonly Emoji[]>([]);
  const [query, setQuery] = useState('');
  const [showsAll, setShowsAll] = useState(false);
  const wanted = useDeferredValue(query.trim());
  useEffect(() => {
    // Without their names the usual ones are there.
    loadEmoji(language).then(setAll, () => {});
  }, [language]);

  const pick = (emoji: string) => {
    onPick(emoji);
    onClose();
  };
  const isFirstTime = all.length === 0;
  return (
    <Dialog title={title} onClose={onClose}>
      <div className={styles.grid}>
        {wanted === '' &&
          usual.map((emoji, index) => (
            <Choice key={emoji} emoji={emoji} isFirst={index === 0} onPick={pick} />
          ))}
      </div>
      <SearchField label={t.searchEmoji} value={query} onChange={(event) => setQuery(event.target.value)} />
      <div className={styles.all} aria-busy={isFirstTime}>
        {wanted === '' && !showsAll ? (
          <Button small onClick={() => setShowsAll(true)}>
            {t.showAll}
          </Button>
        ) : wanted === '' ? (
          [...Map.groupBy(withoutUsual(all), ({ group }) => group)].map(([group, some]) => (
            <div key={group} className={`${styles.grid} ${styles.group}`}>
              {some.map(({ emoji, label }) => (
                <Choice key={emoji} emoji={emoji} label={label} onPick={pick} />
              ))}
            </div>
          ))
        ) : (
          <div className={styles.grid}>
            {findEmoji(all, wanted, mostFound).map(({ emoji, label }) => (
              <Choice key={emoji} emoji={emoji} label={label} onPick={pick} />
            ))}
          </div>
        )}
      </div>
    </Dialog>
  );
}

/** Each has one button, so that its name is one of a kind. */
const withoutUsual = (all: readonly Emoji[]): Emoji[] => all.filter(({ emoji }) => !usual.includes(emoji));

function Choice({
  emoji,
  label,
  isFirst = false,
  onPick,
}: {
  emoji: string;
  label?: string;
  isFirst?: boolean;
  onPick(emoji: string): void;
}) {
  return (
    <button
      type="button"
      aria-label={emoji}
      title={label}
      data-first={isFirst || undefined}
      onClick={() => onPick(emoji)}
    >
      {emoji}
    </button>
  );
}
