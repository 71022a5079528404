import type { ShownMessage } from '@gochat/sdk';
import { type KeyboardEvent, useEffect, useRef, useState } from 'react';
import { useLanguage } from '../i18n/language.tsx';
import { Button } from '../ui/button.tsx';
import { TextArea } from '../ui/text-area.tsx';
import { useChatActions } from './chat-actions.ts';
import styles from './edit-message.module.css';

/** The field in which a message is edited, in its place. Enter saves, Escape leaves it as it is. */
export function EditMessage({ message }: { message: ShownMessage }) {
  const { t } = useLanguage();
  const { edit, saveEdit } = useChatActions();
  const [text, setText] = useState(message.content);
  const field = useRef<HTMLTextAreaElement>(null);
  useEffect(() => {
    const element = field.current;
    element?.focus();
    element?.setSelectionRange(element.value.length, element.value.length);
  }, []);

  const save = () => saveEdit(message, text);
  function onKeyDown(event: KeyboardEvent): void {
    // The message around it opens its menu by some keys.
    event.stopPropagation();
    // An input method has its own use for these keys. Safari says so only by the code 229.
    if (event.nativeEvent.isComposing || event.keyCode === 229) return;
    if (event.key === 'Escape') edit(undefined);
    if (event.key !== 'Enter' || event.shiftKey) return;
    event.preventDefault();
    save();
  }

  return (
    <div className={styles.edit}>
      <TextArea
        ref={field}
        aria-label={t.editMessage}
        dir="auto"
        value={text}
        onChange={(event) => setText(event.target.value)}
        onKeyDown={onKeyDown}
      />
      <div className={styles.buttons}>
        <Button small onClick={() => edit(undefined)}>
          {t.cancel}
        </Button>
        <Button small kind="main" onClick={save} disabled={text.trim() === ''}>
          {t.save}
        </Button>
      </div>
    </div>
  );
}
