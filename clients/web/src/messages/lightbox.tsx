import { useEffect, useRef } from 'react';
import { useLanguage } from '../i18n/language.tsx';
import { IconButton } from '../ui/button.tsx';
import { Icon } from '../ui/icon.tsx';
import type { SharedFile } from './file-content.ts';
import styles from './lightbox.module.css';

/** A picture as large as the window. */
export default function Lightbox({ file, onClose }: { file: SharedFile; onClose(): void }) {
  const { t } = useLanguage();
  const dialog = useRef<HTMLDialogElement>(null);
  useEffect(() => {
    const element = dialog.current;
    element?.showModal();
    return () => element?.close();
  }, []);
  return (
    // biome-ignore lint/a11y/useKeyWithClickEvents: Escape closes it, too; the browser says so by onCancel.
    <dialog
      ref={dialog}
      className={styles.lightbox}
      aria-label={`${t.imageViewer}: ${file.name}`}
      onCancel={(event) => {
        event.preventDefault();
        onClose();
      }}
      onClick={(event) => event.target instanceof Element && !event.target.closest('a, button') && onClose()}
    >
      <img src={file.url} alt={file.name} />
      <div className={styles.buttons}>
        <a
          href={file.url}
          download={file.name}
          target="_blank"
          rel="noopener noreferrer"
          aria-label={t.download(file.name)}
        >
          <Icon name="download" />
        </a>
        <IconButton icon="close" label={t.close} onClick={onClose} />
      </div>
    </dialog>
  );
}
