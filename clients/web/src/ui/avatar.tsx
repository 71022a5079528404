import { memo, useState } from 'react';
import styles from './avatar.module.css';

/** The picture of somebody, or else the beginning of the name on a colour that the name decides. */
export const Avatar = memo(function Avatar({
  name,
  url = '',
  size = 40,
  online = false,
}: {
  name: string;
  url?: string;
  size?: number;
  online?: boolean;
}) {
  const [broken, setBroken] = useState('');
  const style = { width: size, height: size, fontSize: size * 0.4 };
  return (
    <span className={styles.avatar} style={style} aria-hidden="true">
      {isShowable(url) && broken !== url ? (
        <img src={url} alt="" width={size} height={size} loading="lazy" onError={() => setBroken(url)} />
      ) : (
        <span className={`${styles.initials} ${styles[`hue${hueOf(name)}`]}`}>{initialsOf(name)}</span>
      )}
      {online && <span className={styles.online} />}
    </span>
  );
});

/** The page's policy lets no picture come over plain http. */
export const isShowable = (url: string): boolean => /^(https:\/\/|\/files\/|blob:)/.test(url);

const hues = 8;

function hueOf(name: string): number {
  let sum = 0;
  for (const char of name) sum = (sum * 31 + (char.codePointAt(0) ?? 0)) % 9973;
  return sum % hues;
}

/** Two letters of two words, one of one; one sign of scripts that write words without letters. */
export function initialsOf(name: string): string {
  const words = name.split(/[\s._-]+/u).filter((word) => /[\p{L}\p{N}\p{Extended_Pictographic}]/u.test(word));
  const [first = '', second = ''] = words;
  const initial = (word: string) => [...new Intl.Segmenter().segment(word)][0]?.segment.toUpperCase() ?? '';
  if (/^[\p{Script=Han}\p{Script=Hangul}\p{Script=Hiragana}\p{Script=Katakana}]/u.test(first))
    return initial(first);
  return `${initial(first)}${initial(second)}` || '?';
}
