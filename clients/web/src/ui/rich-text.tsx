import { LinkifyIt } from 'linkify-it';
import { memo, type ReactNode } from 'react';
import styles from './rich-text.module.css';

/** Finds `example.com` as well as `https://example.com`. */
const linkify = new LinkifyIt({ fuzzyLink: true });
linkify.add('ftp:', null).add('//', null);

/** Text as somebody wrote it, with links as links and the given words marked. It never becomes HTML. */
export const RichText = memo(function RichText({
  text,
  marked = none,
}: {
  text: string;
  marked?: readonly string[];
}) {
  return <>{partsOf(text, marked)}</>;
});

const none: readonly string[] = [];

function partsOf(text: string, marked: readonly string[]): ReactNode[] {
  const parts: ReactNode[] = [];
  let end = 0;
  for (const { index, lastIndex, url, text: shown } of linkify.match(text) ?? []) {
    if (!/^(https?|mailto):/i.test(url)) continue;
    parts.push(...markedParts(text.slice(end, index), marked, end));
    parts.push(
      <a key={index} className={styles.link} href={url} target="_blank" rel="noopener noreferrer nofollow">
        {shown}
      </a>,
    );
    end = lastIndex;
  }
  parts.push(...markedParts(text.slice(end), marked, end));
  return parts;
}

/** Marks every occurrence of these words. */
function markedParts(text: string, marked: readonly string[], offset: number): ReactNode[] {
  const words = marked.filter((word) => word !== '' && text.includes(word));
  if (words.length === 0) return [text];
  const escaped = words
    .sort((a, b) => b.length - a.length)
    .map((word) => word.replace(/[\\^$.*+?()[\]{}|]/g, '\\$&'));
  return text.split(new RegExp(`(${escaped.join('|')})`, 'u')).map((part, index) =>
    index % 2 === 0 ? (
      part
    ) : (
      // biome-ignore lint/suspicious/noArrayIndexKey: a text's parts have no other identity.
      <span key={`${offset}-${index}`} className={styles.marked}>
        {part}
      </span>
    ),
  );
}
