import type { ReactNode } from 'react';
import styles from './search-dialog.module.css';

const before = 40;

/** A text with some ranges marked ([start, length] in UTF-16 units), beginning shortly before the first of them. */
export function Highlighted({ text, ranges }: { text: string; ranges: readonly (readonly number[])[] }) {
  const parts: ReactNode[] = [];
  const first = ranges[0]?.[0] ?? 0;
  let end = first > before * 2 ? text.indexOf(' ', first - before) + 1 || first - before : 0;
  if (end > 0) parts.push('…');
  for (const [start = 0, length = 0] of ranges) {
    if (start < end) continue;
    parts.push(
      text.slice(end, start),
      <mark key={start} className={styles.mark}>
        {text.slice(start, start + length)}
      </mark>,
    );
    end = start + length;
  }
  parts.push(text.slice(end));
  return <>{parts}</>;
}
