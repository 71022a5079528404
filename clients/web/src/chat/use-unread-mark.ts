import type { RoomSnapshot } from '@gochat/sdk';
import { useRef } from 'react';

/**
 * The first message that was unread when the conversation was opened. It stays where it is while one reads, until one
 * writes; then what comes while the page is hidden is marked in the same way.
 */
export function useUnreadMark(
  { conversation, firstUnreadSeq, messages }: RoomSnapshot,
  myId: string,
): number | undefined {
  const mark = useRef<{ from: number | undefined; lastSeq: number }>(undefined);
  if (!conversation) return undefined;
  const lastSeq = conversation.lastSeqId;
  if (!mark.current) {
    mark.current = { from: firstUnreadSeq, lastSeq };
  } else if (lastSeq > mark.current.lastSeq) {
    const last = messages.findLast(({ seqId }) => seqId === lastSeq);
    const from = mark.current.from;
    if (last?.sender.id === myId) mark.current = { from: undefined, lastSeq };
    else if (from === undefined && document.visibilityState === 'hidden')
      mark.current = { from: mark.current.lastSeq + 1, lastSeq };
    else mark.current = { from, lastSeq };
  }
  return mark.current.from;
}
