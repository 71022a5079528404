import { Fragment } from 'react';
import { useLanguage } from '../i18n/language.tsx';
import { Dialog } from '../ui/dialog.tsx';
import styles from './key-help.module.css';

/** What the keyboard can do. */
export default function KeyHelp({ onClose }: { onClose(): void }) {
  const { t } = useLanguage();
  const keys = [
    ['Ctrl K', t.keySearch],
    ['Alt ↓', t.keyNext],
    ['Alt ↑', t.keyPrevious],
    ['Enter', t.send],
    ['Shift Enter', t.keyNewLine],
    ['↑', t.keyEditLast],
    ['Shift F10', t.keyActions],
    ['?', t.keyHelp],
  ] as const;
  return (
    <Dialog title={t.keyboardShortcuts} onClose={onClose}>
      <dl className={styles.keys}>
        {keys.map(([key, what]) => (
          <Fragment key={key}>
            <dt>
              {key.split(' ').map((part) => (
                <kbd key={part}>{part}</kbd>
              ))}
            </dt>
            <dd>{what}</dd>
          </Fragment>
        ))}
      </dl>
    </Dialog>
  );
}
