import type { Member, Room, ShownMessage, Upload } from '@gochat/sdk';
import {
  type KeyboardEvent,
  lazy,
  type Ref,
  Suspense,
  useEffect,
  useId,
  useImperativeHandle,
  useRef,
  useState,
} from 'react';
import { previewOf } from '../conversations/words.ts';
import { useLanguage } from '../i18n/language.tsx';
import { nameOf } from '../people/names.ts';
import { IconButton } from '../ui/button.tsx';
import { TextArea } from '../ui/text-area.tsx';
import { AttachmentList } from './attachment-list.tsx';
import { type Choice, CompletionList, useCompletion } from './completion.tsx';
import styles from './composer.module.css';
import type { Attachments } from './use-attachments.ts';
import { useDraft } from './use-draft.ts';

const EmojiPicker = lazy(() => import('../emoji/emoji-picker.tsx'));

export interface ComposerHandle {
  focus(): void;
}

/** Where a message is written. */
export function Composer({
  ref,
  room,
  draft,
  members,
  attachments,
  replyTo,
  onCancelReply,
  onSend,
  onEditLast,
}: {
  ref: Ref<ComposerHandle>;
  room: Room;
  draft: string;
  members: readonly Member[] | undefined;
  attachments: Attachments;
  replyTo: ShownMessage | undefined;
  onCancelReply(): void;
  onSend(message: { text?: string; mentions?: string[]; files?: Upload[] }): void;
  onEditLast(): void;
}) {
  const { t } = useLanguage();
  const field = useRef<HTMLTextAreaElement>(null);
  const { text, setText } = useDraft(room, draft);
  const [picksEmoji, setPicksEmoji] = useState(false);
  /** True: sent as soon as the uploads are done. */
  const [waits, setWaits] = useState(false);
  const picker = useRef<HTMLInputElement>(null);
  /** Ids of the members who were mentioned, by the words in the text. */
  const mentioned = useRef(new Map<string, string>());
  const listId = useId();
  const completion = useCompletion(text, field, members, (choice, from, to) => {
    if (choice.userId) mentioned.current.set(choice.text.trim(), choice.userId);
    insert(choice.text, from, to);
  });
  useImperativeHandle(ref, () => ({ focus: () => field.current?.focus() }));

  useEffect(() => {
    // On a touch screen the keyboard would cover what one came to read.
    if (matchMedia('(pointer: fine)').matches) field.current?.focus();
  }, []);

  function send(): void {
    const trimmed = text.trim();
    field.current?.focus();
    if (trimmed === '' && attachments.all.length === 0) return;
    if (!attachments.areDone) {
      setWaits(true);
      return;
    }
    const files = attachments.take();
    setText('');
    const mentions = [...mentioned.current].flatMap(([words, id]) => (trimmed.includes(words) ? [id] : []));
    mentioned.current.clear();
    onSend({
      ...(trimmed === '' ? {} : { text: trimmed }),
      ...(mentions.length > 0 ? { mentions } : {}),
      ...(files.length > 0 ? { files } : {}),
    });
  }

  // biome-ignore lint/correctness/useExhaustiveDependencies: it sends once, when the last upload is done.
  useEffect(() => {
    if (!waits || !attachments.areDone) return;
    setWaits(false);
    send();
  }, [waits, attachments.areDone]);

  /** Puts text in the place of what stands between two positions, and the cursor behind it. */
  function insert(inserted: string, from: number, to: number): void {
    setText(text.slice(0, from) + inserted + text.slice(to));
    const caret = from + inserted.length;
    requestAnimationFrame(() => {
      field.current?.focus();
      field.current?.setSelectionRange(caret, caret);
    });
  }

  function insertAtCaret(inserted: string): void {
    const { selectionStart = text.length, selectionEnd = text.length } = field.current ?? {};
    insert(inserted, selectionStart, selectionEnd);
  }

  function onKeyDown(event: KeyboardEvent): void {
    // An input method takes Enter to choose a word. Safari says so only by the code 229.
    if (event.nativeEvent.isComposing || event.keyCode === 229) return;
    if (!event.shiftKey && completion.onKey(event.key)) {
      event.preventDefault();
      return;
    }
    if (event.key === 'Enter' && !event.shiftKey && !event.ctrlKey && !event.altKey) {
      event.preventDefault();
      send();
    }
    if (event.key === 'ArrowUp' && text === '') {
      event.preventDefault();
      onEditLast();
    }
    if (event.key === 'Escape' && replyTo) onCancelReply();
  }

  return (
    <div className={styles.composer}>
      {replyTo && (
        <div className={styles.reply}>
          <div>
            <p className={styles.replyName} dir="auto">
              {t.replyingTo(nameOf(replyTo.sender))}
            </p>
            <p className={styles.replyText} dir="auto">
              {previewOf(replyTo, t)}
            </p>
          </div>
          <IconButton icon="close" size={16} label={t.cancelReply} onClick={onCancelReply} />
        </div>
      )}
      {attachments.all.length > 0 && (
        <AttachmentList attachments={attachments.all} onRemove={attachments.remove} />
      )}
      {completion.choices.length > 0 && (
        <CompletionList
          id={listId}
          label={t.suggestions}
          choices={completion.choices}
          index={completion.index}
          onChoose={(choice: Choice) => completion.choose(choice)}
        />
      )}
      <div className={styles.line}>
        <input
          ref={picker}
          type="file"
          multiple
          hidden
          aria-hidden="true"
          tabIndex={-1}
          onChange={(event) => {
            attachments.add(event.target.files ?? []);
            event.target.value = '';
          }}
        />
        <IconButton icon="attach" label={t.attachFiles} onClick={() => picker.current?.click()} />
        <TextArea
          ref={field}
          className={styles.field}
          aria-label={t.message}
          aria-autocomplete="list"
          aria-controls={completion.choices.length > 0 ? listId : undefined}
          aria-activedescendant={completion.choices.length > 0 ? `${listId}-${completion.index}` : undefined}
          placeholder={t.message}
          rows={1}
          dir="auto"
          value={text}
          onChange={(event) => {
            setText(event.target.value);
            if (event.target.value !== '') room.typing();
          }}
          onKeyDown={onKeyDown}
          onPaste={(event) => {
            const { files } = event.clipboardData;
            if (files.length === 0) return;
            event.preventDefault();
            attachments.add(files);
          }}
        />
        <IconButton icon="smile" label={t.emoji} onClick={() => setPicksEmoji(true)} />
        <IconButton
          icon="send"
          kind="main"
          label={t.send}
          onClick={send}
          disabled={text.trim() === '' && attachments.all.length === 0}
        />
      </div>
      {picksEmoji && (
        <Suspense>
          <EmojiPicker title={t.emoji} onPick={insertAtCaret} onClose={() => setPicksEmoji(false)} />
        </Suspense>
      )}
    </div>
  );
}
