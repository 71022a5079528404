import type { Room } from '@gochat/sdk';
import { useEffect, useRef, useState } from 'react';
import { keptDrafts } from '../session/kept-drafts.ts';
import { useMe } from '../session/me.ts';

/** So long after the last key the text is stored. */
const delayMs = 300;
/** The SDK has certainly stored by then what it was given. */
const storedMs = 2_000;

/** The unfinished text of a conversation. It is kept for the next time, also when the page is left at once. */
export function useDraft(room: Room, draft: string) {
  const { id: myId } = useMe();
  const [kept] = useState(() => keptDrafts.get(myId, room.id));
  const [text, setOwnText] = useState(kept ?? draft);
  /** Undefined: nothing was typed here yet, so what is stored counts. */
  const editedAt = useRef(kept === undefined ? undefined : Date.now());
  const waiting = useRef<ReturnType<typeof setTimeout>>(undefined);
  const latest = useRef(text);

  useEffect(() => {
    if (editedAt.current === undefined) setOwnText(draft);
  }, [draft]);

  useEffect(() => {
    const store = () => {
      clearTimeout(waiting.current);
      if (editedAt.current !== undefined && room.draft.get() !== latest.current)
        room.draft.set(latest.current);
    };
    const keep = () => {
      store();
      if (editedAt.current !== undefined && Date.now() - editedAt.current < storedMs)
        keptDrafts.set(myId, room.id, latest.current);
    };
    // A text that the page before this one has kept goes on to the SDK.
    if (kept !== undefined) store();
    keptDrafts.remove(myId, room.id);
    addEventListener('pagehide', keep);
    return () => {
      removeEventListener('pagehide', keep);
      store();
    };
  }, [room, myId, kept]);

  function setText(next: string): void {
    editedAt.current = Date.now();
    latest.current = next;
    setOwnText(next);
    clearTimeout(waiting.current);
    if (next === '') room.draft.set('');
    else waiting.current = setTimeout(() => room.draft.set(next), delayMs);
  }

  return { text, setText };
}
