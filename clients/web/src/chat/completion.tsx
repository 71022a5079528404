import type { Member } from '@gochat/sdk';
import { type RefObject, useEffect, useState } from 'react';
import { type Emoji, findEmoji, loadEmoji } from '../emoji/emoji-data.ts';
import { useLanguage } from '../i18n/language.tsx';
import { nameOf } from '../people/names.ts';
import { Avatar } from '../ui/avatar.tsx';
import styles from './completion.module.css';

export interface Choice {
  key: string;
  /** What takes the place of what was typed. */
  text: string;
  label: string;
  avatar?: { name: string; url: string };
  emoji?: string;
  /** The member that the text mentions. */
  userId?: string;
}

const most = 6;
/** `@an` and `:smi` at the end of a text, after a blank or at its beginning. */
const unfinished = /(?:^|\s)([@:])([\p{L}\p{N}_.+-]*)$/u;

/** What is offered for the word before the cursor: members after @, emoji after : and two letters. */
export function useCompletion(
  text: string,
  field: RefObject<HTMLTextAreaElement | null>,
  members: readonly Member[] | undefined,
  onChoose: (choice: Choice, from: number, to: number) => void,
) {
  const { name: language } = useLanguage();
  const [emoji, setEmoji] = useState<readonly Emoji[]>([]);
  const [index, setIndex] = useState(0);
  /** True: an arrow key has led to the choice, so Enter takes it. */
  const [isPicked, setIsPicked] = useState(false);
  const [closedFor, setClosedFor] = useState('');
  const caret = field.current?.selectionStart ?? text.length;
  const [, sign = '', word = ''] = unfinished.exec(text.slice(0, caret)) ?? [];
  const wantsEmoji = sign === ':' && word.length >= 2;
  const typed = sign + word;

  useEffect(() => {
    if (wantsEmoji) loadEmoji(language).then(setEmoji, () => {});
  }, [wantsEmoji, language]);
  // biome-ignore lint/correctness/useExhaustiveDependencies: another word has other choices.
  useEffect(() => {
    setIndex(0);
    setIsPicked(false);
  }, [typed]);

  const choices =
    sign === '' || closedFor === typed
      ? []
      : sign === '@'
        ? membersFor(members ?? [], word)
        : wantsEmoji
          ? emojiFor(emoji, word)
          : [];

  function choose(choice: Choice): void {
    onChoose(choice, caret - typed.length, caret);
  }

  return {
    choices,
    index,
    choose,
    /** True if the key was for the list. */
    onKey(key: string): boolean {
      if (choices.length === 0) return false;
      if (key === 'ArrowDown' || key === 'ArrowUp') {
        setIsPicked(true);
        setIndex((index + (key === 'ArrowDown' ? 1 : -1) + choices.length) % choices.length);
      } else if (key === 'Escape') setClosedFor(typed);
      else if (key === 'Tab' || (key === 'Enter' && isPicked)) {
        const choice = choices[index];
        if (choice) choose(choice);
      } else return false;
      return true;
    },
  };
}

function membersFor(members: readonly Member[], word: string): Choice[] {
  const wanted = word.toLocaleLowerCase();
  return members
    .filter((one) =>
      [one.displayName, one.username].some((name) => name.toLocaleLowerCase().startsWith(wanted)),
    )
    .slice(0, most)
    .map((one) => ({
      key: one.id,
      text: `@${nameOf(one)} `,
      label: nameOf(one),
      avatar: { name: nameOf(one), url: one.avatarUrl },
      userId: one.id,
    }));
}

const emojiFor = (all: readonly Emoji[], word: string): Choice[] =>
  findEmoji(all, word, most).map(({ emoji, label, names }) => ({
    key: emoji,
    text: `${emoji} `,
    label: names[0] ? `:${names[0]}:` : label,
    emoji,
  }));

/** The list above the field. The focus stays in the field, which says which choice is meant. */
export function CompletionList({
  id,
  label,
  choices,
  index,
  onChoose,
}: {
  id: string;
  label: string;
  choices: readonly Choice[];
  index: number;
  onChoose(choice: Choice): void;
}) {
  return (
    <div id={id} role="listbox" aria-label={label} className={styles.list}>
      {choices.map((choice, at) => (
        // biome-ignore lint/a11y/useKeyWithClickEvents: the field takes the keys.
        <div
          key={choice.key}
          id={`${id}-${at}`}
          role="option"
          aria-selected={at === index}
          tabIndex={-1}
          className={styles.choice}
          onMouseDown={(event) => event.preventDefault()}
          onClick={() => onChoose(choice)}
        >
          {choice.avatar && <Avatar name={choice.avatar.name} url={choice.avatar.url} size={24} />}
          {choice.emoji && <span aria-hidden="true">{choice.emoji}</span>}
          <span dir="auto">{choice.label}</span>
        </div>
      ))}
    </div>
  );
}
