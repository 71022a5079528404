// Room: finding messages and conversations. It opens nothing by itself but addresses.

import type { Message } from '@gochat/sdk';
import { useClient, useConversations } from '@gochat/sdk/react';
import { type KeyboardEvent, useEffect, useRef, useState } from 'react';
import { titleOf } from '../conversations/words.ts';
import { useLanguage } from '../i18n/language.tsx';
import { nameOf } from '../people/names.ts';
import { sentenceOf } from '../session/errors.ts';
import { Avatar } from '../ui/avatar.tsx';
import { Dialog } from '../ui/dialog.tsx';
import { Checkbox, SearchField } from '../ui/field.tsx';
import { paths } from '../ui/paths.ts';
import { Highlighted } from './highlighted.tsx';
import styles from './search-dialog.module.css';

interface Result {
  message: Message;
  conversationName: string;
  highlights: number[][];
}

const delayMs = 200;
const mostConversations = 5;

/** Searches messages everywhere, or in the open conversation only; conversations are found by their names, too. */
export default function SearchDialog({ openId, onClose }: { openId: string | undefined; onClose(): void }) {
  const { t } = useLanguage();
  const [query, setQuery] = useState('');
  const [onlyHere, setOnlyHere] = useState(false);
  const words = query.trim();
  const search = useSearch(words, onlyHere ? openId : undefined);
  const list = useRef<HTMLDivElement>(null);

  return (
    <Dialog title={t.search} wide onClose={onClose}>
      <SearchField
        label={t.searchMessages}
        data-first
        value={query}
        onChange={(event) => setQuery(event.target.value)}
        onKeyDown={(event) => {
          if (event.key !== 'ArrowDown') return;
          event.preventDefault();
          list.current?.querySelector('a')?.focus();
        }}
      />
      {openId !== undefined && (
        <Checkbox
          label={t.inThisConversation}
          checked={onlyHere}
          onChange={(event) => setOnlyHere(event.target.checked)}
        />
      )}
      {/* biome-ignore lint/a11y/noStaticElementInteractions: the links inside take the focus; arrows go between them. */}
      <div ref={list} className={styles.results} onKeyDown={moveAmongLinks}>
        {search.error && <p className={styles.note}>{search.error}</p>}
        {words === '' && <p className={styles.note}>{t.searchHint}</p>}
        {search.results?.length === 0 && <p className={styles.note}>{t.noResults}</p>}
        <ul aria-label={t.messages}>
          {search.results?.map((result) => (
            <Found key={result.message.id} result={result} onClose={onClose} />
          ))}
        </ul>
        {!onlyHere && words !== '' && <Conversations words={words} onClose={onClose} />}
      </div>
    </Dialog>
  );
}

function useSearch(
  q: string,
  conversationId: string | undefined,
): { results?: readonly Result[]; error?: string } {
  const { t } = useLanguage();
  const client = useClient();
  const [answer, setAnswer] = useState<{ results?: readonly Result[]; error?: string }>({});
  useEffect(() => {
    if (q === '') return setAnswer({});
    let isOver = false;
    const timer = setTimeout(() => {
      const query = { q, limit: 30, ...(conversationId === undefined ? {} : { conversationId }) };
      client.call('GET /search/messages', { query }).then(
        ({ results }) => !isOver && setAnswer({ results }),
        (error) => !isOver && setAnswer({ error: sentenceOf(error, t) }),
      );
    }, delayMs);
    return () => {
      isOver = true;
      clearTimeout(timer);
    };
  }, [client, q, conversationId, t]);
  return answer;
}

function Found({ result, onClose }: { result: Result; onClose(): void }) {
  const { t, times } = useLanguage();
  const client = useClient();
  const { message, conversationName, highlights } = result;
  const known = client.conversation(message.conversationId).get().conversation;
  return (
    <li>
      <a
        className={styles.result}
        href={paths.conversation(message.conversationId, message.seqId)}
        onClick={onClose}
      >
        <span className={styles.where} dir="auto">
          {known ? titleOf(known, t) : conversationName}
        </span>
        <span className={styles.when}>{times.brief(message.createdAt)}</span>
        <span className={styles.text} dir="auto">
          {nameOf(message.sender)}: <Highlighted text={message.content} ranges={highlights} />
        </span>
      </a>
    </li>
  );
}

function Conversations({ words, onClose }: { words: string; onClose(): void }) {
  const { t } = useLanguage();
  const wanted = words.toLocaleLowerCase();
  const found = useConversations()
    .filter(({ conversation }) => titleOf(conversation, t).toLocaleLowerCase().includes(wanted))
    .slice(0, mostConversations);
  if (found.length === 0) return null;
  return (
    <ul aria-label={t.conversations}>
      {found.map(({ conversation }) => {
        const title = titleOf(conversation, t);
        return (
          <li key={conversation.id}>
            <a className={styles.conversation} href={paths.conversation(conversation.id)} onClick={onClose}>
              <Avatar name={title} url={conversation.peer?.avatarUrl ?? conversation.avatarUrl} size={28} />
              <span dir="auto">{title}</span>
            </a>
          </li>
        );
      })}
    </ul>
  );
}

/** Arrows go from result to result. */
function moveAmongLinks(event: KeyboardEvent<HTMLElement>): void {
  const step = event.key === 'ArrowUp' ? -1 : event.key === 'ArrowDown' ? 1 : 0;
  if (step === 0) return;
  event.preventDefault();
  const links = [...event.currentTarget.querySelectorAll<HTMLElement>('a')];
  const index = links.findIndex((link) => link.contains(document.activeElement));
  links[index + step]?.focus();
}
