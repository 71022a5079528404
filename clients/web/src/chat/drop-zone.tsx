import { type DragEvent, type ReactNode, useState } from 'react';
import { useLanguage } from '../i18n/language.tsx';
import styles from './drop-zone.module.css';

/** Takes files that are dragged onto what is inside. */
export function DropZone({ onFiles, children }: { onFiles(files: FileList): void; children: ReactNode }) {
  const { t } = useLanguage();
  const [isOver, setOver] = useState(false);
  const holdsFiles = (event: DragEvent) => event.dataTransfer.types.includes('Files');
  return (
    // biome-ignore lint/a11y/noStaticElementInteractions: the button to attach files does the same.
    <div
      className={styles.zone}
      onDragOver={(event) => {
        if (!holdsFiles(event)) return;
        event.preventDefault();
        setOver(true);
      }}
      onDragLeave={(event) => {
        const to = event.relatedTarget;
        if (!(to instanceof Node) || !event.currentTarget.contains(to)) setOver(false);
      }}
      onDrop={(event) => {
        if (!holdsFiles(event)) return;
        event.preventDefault();
        setOver(false);
        onFiles(event.dataTransfer.files);
      }}
    >
      {children}
      {isOver && <p className={styles.over}>{t.dropFiles}</p>}
    </div>
  );
}
