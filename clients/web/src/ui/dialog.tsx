import { type ReactNode, useEffect, useId, useRef } from 'react';
import { useLanguage } from '../i18n/language.tsx';
import { Button, IconButton } from './button.tsx';
import styles from './dialog.module.css';

/** A modal dialog, open as long as it is rendered. The browser keeps the focus inside and gives it back at the end. */
export function Dialog({
  title,
  wide = false,
  onClose,
  children,
}: {
  title: string;
  wide?: boolean;
  onClose(): void;
  children: ReactNode;
}) {
  const { t } = useLanguage();
  const dialog = useRef<HTMLDialogElement>(null);
  const titleId = useId();
  useEffect(() => {
    const element = dialog.current;
    element?.showModal();
    // The browser would begin with the button that closes it.
    element?.querySelector<HTMLElement>('[data-first]')?.focus();
    return () => element?.close();
  }, []);
  return (
    // biome-ignore lint/a11y/useKeyWithClickEvents: Escape closes it, too; the browser says so by onCancel.
    <dialog
      ref={dialog}
      className={`${styles.dialog} ${wide ? styles.wide : ''}`}
      aria-labelledby={titleId}
      onCancel={(event) => {
        event.preventDefault();
        onClose();
      }}
      onClick={(event) => event.target === dialog.current && onClose()}
    >
      <div className={styles.inside}>
        <header className={styles.head}>
          <h2 id={titleId}>{title}</h2>
          <IconButton icon="close" label={t.close} onClick={onClose} />
        </header>
        {children}
      </div>
    </dialog>
  );
}

/** Asks before something that can't be undone. */
export function Question({
  title,
  hint,
  action,
  onYes,
  onClose,
}: {
  title: string;
  hint?: string;
  action: string;
  onYes(): void;
  onClose(): void;
}) {
  const { t } = useLanguage();
  return (
    <Dialog title={title} onClose={onClose}>
      {hint && <p className={styles.hint}>{hint}</p>}
      <div className={styles.actions}>
        <Button data-first onClick={onClose}>
          {t.cancel}
        </Button>
        <Button
          kind="danger"
          onClick={() => {
            onClose();
            onYes();
          }}
        >
          {action}
        </Button>
      </div>
    </Dialog>
  );
}
