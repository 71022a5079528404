import { lazy, Suspense, useState } from 'react';
import { useLanguage } from '../i18n/language.tsx';
import { isShowable } from '../ui/avatar.tsx';
import { Icon } from '../ui/icon.tsx';
import { type SharedFile, sizeText } from './file-content.ts';
import styles from './file-message.module.css';

const Lightbox = lazy(() => import('./lightbox.tsx'));

/** The largest picture in the list; its place is reserved before it is loaded. */
const maxWidth = 340;
const maxHeight = 300;

/** A picture, or a file to download. */
export function FileMessage({ file, isPicture }: { file: SharedFile; isPicture: boolean }) {
  const [isBroken, setBroken] = useState(false);
  const shown = file.thumbnailUrl ?? file.url;
  if (!isPicture || isBroken || !isShowable(shown)) return <FileLink file={file} />;
  return <Picture file={file} shown={shown} onBroken={() => setBroken(true)} />;
}

function Picture({ file, shown, onBroken }: { file: SharedFile; shown: string; onBroken(): void }) {
  const { t } = useLanguage();
  const [isOpen, setOpen] = useState(false);
  const { width = 4, height = 3 } = file;
  const scale = Math.min(1, maxWidth / width, maxHeight / height);
  const size = file.width ? { width: width * scale } : { width: 260 };
  return (
    <>
      <button
        type="button"
        className={styles.picture}
        style={{ ...size, aspectRatio: `${width} / ${height}` }}
        aria-label={t.openImage(file.name)}
        onClick={() => setOpen(true)}
      >
        <img
          src={shown}
          alt={file.name}
          loading="lazy"
          decoding="async"
          draggable={false}
          onError={onBroken}
        />
      </button>
      {isOpen && (
        <Suspense>
          <Lightbox file={file} onClose={() => setOpen(false)} />
        </Suspense>
      )}
    </>
  );
}

function FileLink({ file }: { file: SharedFile }) {
  const { t } = useLanguage();
  return (
    <a
      className={styles.file}
      href={file.url}
      download={file.name}
      target="_blank"
      rel="noopener noreferrer"
      aria-label={t.download(file.name)}
    >
      <span className={styles.sign}>
        <Icon name="file" />
      </span>
      <span className={styles.words}>
        <span className={styles.name} dir="auto">
          {file.name}
        </span>
        <span className={styles.size}>{sizeText(file.size)}</span>
      </span>
    </a>
  );
}
