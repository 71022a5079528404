import type { ShownMessage } from '@gochat/sdk';
import { messageType } from '../conversations/words.ts';
import { useLanguage } from '../i18n/language.tsx';
import { RichText } from '../ui/rich-text.tsx';
import { parseFile } from './file-content.ts';
import { FileMessage } from './file-message.tsx';
import styles from './message-content.module.css';

/** What a message says. */
export function MessageContent({
  message,
  names,
}: {
  message: ShownMessage;
  names: ReadonlyMap<string, string>;
}) {
  const { t } = useLanguage();
  if (message.deleted) return <p className={styles.recalled}>{t.recalled}</p>;
  const { content, messageType: type } = message;
  const file = type === messageType.image || type === messageType.file ? parseFile(content) : undefined;
  if (file) return <FileMessage file={file} isPicture={type === messageType.image} />;
  const marked = message.mentions?.flatMap((id) => {
    const name = names.get(id);
    return name ? [`@${name}`] : [];
  });
  const isLarge = type === messageType.text && isOnlyEmoji(content);
  return (
    <p className={`${styles.text} ${isLarge ? styles.large : ''}`} dir="auto">
      <RichText text={content} {...(marked ? { marked } : {})} />
    </p>
  );
}

/** Up to three emoji and nothing else are shown large. */
const onlyEmoji = /^(?:\p{RGI_Emoji}\s*){1,3}$/v;
const longestEmojiText = 60;
const isOnlyEmoji = (text: string): boolean => text.length <= longestEmojiText && onlyEmoji.test(text);
