import type { Room } from '@gochat/sdk';
import { useEffect, useRef, useState } from 'react';

/** So long after the last key the text is stored. */
const delayMs = 300;

/** The unfinished text of a conversation. It is kept for the next time, also after a reload. */
export function useDraft(room: Room, draft: string) {
  const [text, setOwnText] = useState(draft);
  /** False: nothing was typed here yet, so what is stored counts. */
  const isEdited = useRef(false);
  const waiting = useRef<ReturnType<typeof setTimeout>>(undefined);
  const latest = useRef(text);

  useEffect(() => {
    if (!isEdited.current) setOwnText(draft);
  }, [draft]);

  useEffect(() => {
    const keep = () => {
      clearTimeout(waiting.current);
      if (isEdited.current && room.draft.get() !== latest.current) room.draft.set(latest.current);
    };
    addEventListener('pagehide', keep);
    return () => {
      removeEventListener('pagehide', keep);
      keep();
    };
  }, [room]);

  function setText(next: string): void {
    isEdited.current = true;
    latest.current = next;
    setOwnText(next);
    clearTimeout(waiting.current);
    if (next === '') room.draft.set('');
    else waiting.current = setTimeout(() => room.draft.set(next), delayMs);
  }

  return { text, setText };
}
