import type { ShownMessage } from '@gochat/sdk';
import { previewOf } from '../conversations/words.ts';
import { useLanguage } from '../i18n/language.tsx';
import { nameOf } from '../people/names.ts';
import { useChatActions } from './chat-actions.ts';
import styles from './reply-quote.module.css';

/** The message that another one answers, in short; it leads there. */
export function ReplyQuote({ seqId, answered }: { seqId: number; answered: ShownMessage | undefined }) {
  const { t } = useLanguage();
  const { jumpTo } = useChatActions();
  return (
    <button type="button" className={styles.quote} title={t.goToMessage} onClick={() => jumpTo(seqId)}>
      {answered ? (
        <>
          <span className={styles.name} dir="auto">
            {nameOf(answered.sender)}
          </span>
          <span className={styles.text} dir="auto">
            {previewOf(answered, t)}
          </span>
        </>
      ) : (
        <span className={styles.text}>{t.originalGone}</span>
      )}
    </button>
  );
}
