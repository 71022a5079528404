import { useLanguage } from '../i18n/language.tsx';
import { sizeText } from '../messages/file-content.ts';
import { IconButton } from '../ui/button.tsx';
import { Icon } from '../ui/icon.tsx';
import styles from './attachment-list.module.css';
import type { Attachment } from './use-attachments.ts';

/** The files of the message that is being written, with previews and progress. */
export function AttachmentList({
  attachments,
  onRemove,
}: {
  attachments: readonly Attachment[];
  onRemove(id: number): void;
}) {
  const { t } = useLanguage();
  return (
    <ul aria-label={t.attachments} className={styles.list}>
      {attachments.map(({ id, name, size, preview, progress, isDone }) => (
        <li key={id} className={styles.file}>
          <span className={styles.preview}>
            {preview ? <img src={preview} alt="" /> : <Icon name="file" />}
          </span>
          <span className={styles.words}>
            <span className={styles.name}>{name}</span>
            {isDone ? (
              <span className={styles.size}>{sizeText(size)}</span>
            ) : (
              <progress
                aria-label={t.uploadProgress(name, Math.round(progress * 100))}
                value={progress}
                max={1}
              />
            )}
          </span>
          <IconButton icon="close" size={16} label={t.removeFile(name)} onClick={() => onRemove(id)} />
        </li>
      ))}
    </ul>
  );
}
