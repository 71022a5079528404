// Room: the messages of a conversation on the screen: the list, each message, what it offers. It does nothing by itself: what a
// message asks for is done by the conversation around it.

import type { ShownMessage } from '@gochat/sdk';
import { useVirtualizer } from '@tanstack/react-virtual';
import {
  type KeyboardEvent,
  type Ref,
  useEffect,
  useImperativeHandle,
  useLayoutEffect,
  useMemo,
  useRef,
  useState,
} from 'react';
import { useLanguage } from '../i18n/language.tsx';
import { Button } from '../ui/button.tsx';
import { Icon } from '../ui/icon.tsx';
import styles from './message-list.module.css';
import { MessageRow } from './message-row.tsx';
import { breakBefore, indexOfSeq, keyOf, standingOf } from './reading.ts';

export interface MessageListHandle {
  toLatest(): void;
  /** Shows a loaded message in the middle, and marks it for a moment. */
  toSeq(seqId: number): boolean;
}

export interface MessageListProps {
  ref: Ref<MessageListHandle>;
  messages: readonly ShownMessage[];
  hasOlder: boolean;
  myId: string;
  /** Up to which message somebody else has read. */
  readSeq: number;
  /** The first message that was unread when the conversation was opened. */
  unreadFrom: number | undefined;
  unreadCount: number;
  editingKey: string | undefined;
  showsSenders: boolean;
  mayPin: boolean;
  mayRecall: boolean;
  names: ReadonlyMap<string, string>;
  loadOlder(): Promise<unknown>;
  /** This message, and so all before it, has been on the screen. */
  onSeen(seqId: number): void;
  onAtEnd(isAtEnd: boolean): void;
  onJump(seqId: number): void;
}

/** So near to the end still counts as the end, in pixels. */
const endThreshold = 48;
/** Older messages are loaded when so few are left above the view. */
const loadAhead = 15;
const topSpace = 56;
const highlightMs = 2_500;
const estimatedHeight = 52;

/** The messages of a conversation. Only those in view, and some around them, are in the document. */
export function MessageList(props: MessageListProps) {
  const {
    messages: loaded,
    hasOlder,
    myId,
    readSeq,
    unreadFrom,
    editingKey,
    loadOlder,
    onSeen,
    onAtEnd,
  } = props;
  // What stands above a message depends on the one before it. A message whose predecessor is not loaded yet waits for it:
  // its height would change later.
  const held = hasOlder && loaded.length > 1 ? loaded[0] : undefined;
  const messages = useMemo(() => (held ? loaded.slice(1) : loaded), [held, loaded]);
  const { t, times } = useLanguage();
  const scroller = useRef<HTMLDivElement>(null);
  const [highlighted, setHighlighted] = useState<number>();
  const instance = useRef<Virtualizer>(undefined);
  useCurrentOffset(instance, scroller, messages[0]);
  const virtualizer = useVirtualizer<HTMLDivElement, Element>({
    count: messages.length,
    getScrollElement: () => scroller.current,
    estimateSize: () => estimatedHeight,
    getItemKey: (index) => {
      const message = messages[index];
      return message ? keyOf(message, myId) : index;
    },
    overscan: 12,
    anchorTo: 'end',
    followOnAppend: true,
    scrollEndThreshold: endThreshold,
    paddingStart: topSpace,
    paddingEnd: 12,
  });

  instance.current = virtualizer;
  useStartPosition(virtualizer, messages, unreadFrom);
  useEndOnResize(scroller);

  useImperativeHandle(props.ref, () => ({
    toLatest: () => virtualizer.scrollToEnd(),
    toSeq(seqId) {
      const index = indexOfSeq(messages, seqId);
      if (index < 0) return false;
      virtualizer.scrollToIndex(index, { align: 'center' });
      setHighlighted(seqId);
      return true;
    },
  }));

  useEffect(() => {
    if (highlighted === undefined) return;
    const timer = setTimeout(() => setHighlighted(undefined), highlightMs);
    return () => clearTimeout(timer);
  }, [highlighted]);

  const items = virtualizer.getVirtualItems();
  const firstIndex = items[0]?.index ?? 0;
  const isAtEnd = virtualizer.isAtEnd(endThreshold);
  const seenSeq = storedSeqBefore(messages, virtualizer.range?.endIndex ?? -1);

  useEffect(() => onAtEnd(isAtEnd), [isAtEnd, onAtEnd]);
  useSeen(seenSeq, onSeen);
  // biome-ignore lint/correctness/useExhaustiveDependencies: after each page that came, the next one may be due.
  useEffect(() => {
    if (hasOlder && firstIndex < loadAhead && messages.length > 0) void loadOlder().catch(() => {});
  }, [hasOlder, firstIndex < loadAhead, messages.length]);

  return (
    <div className={styles.place}>
      <div
        ref={scroller}
        role="log"
        aria-label={t.messages}
        // biome-ignore lint/a11y/noNoninteractiveTabindex: what scrolls must be reachable by keyboard.
        tabIndex={0}
        className={styles.scroller}
        onKeyDown={moveAmongMessages}
      >
        <div className={styles.sizer} style={{ height: virtualizer.getTotalSize() }}>
          <p className={styles.top}>
            {messages.length === 0 ? t.noMessages : hasOlder ? t.loadingOlder : t.beginning}
          </p>
          {items.map(({ index, key, start }) => {
            const message = messages[index];
            if (!message) return null;
            const { isNewDay, isNewGroup } = breakBefore(message, index === 0 ? held : messages[index - 1]);
            const isOwn = message.sender.id === myId;
            const isFirstUnread = unreadFrom !== undefined && message.seqId === unreadFrom;
            const { replyToSeqId } = message;
            return (
              <div
                key={key}
                ref={virtualizer.measureElement}
                data-index={index}
                className={styles.item}
                style={{ transform: `translateY(${start}px)` }}
              >
                {isNewDay && <p className={styles.day}>{times.day(message.createdAt, t)}</p>}
                {isFirstUnread && (
                  // biome-ignore lint/a11y/useSemanticElements: it has words, which hr can't have.
                  <div role="separator" aria-label={t.newMessages} className={styles.unread}>
                    <span>{t.newMessages}</span>
                  </div>
                )}
                <MessageRow
                  message={message}
                  isOwn={isOwn}
                  myId={myId}
                  isFirstOfGroup={isNewGroup || isFirstUnread}
                  standing={isOwn && !message.deleted ? standingOf(message, readSeq) : undefined}
                  answered={
                    replyToSeqId === undefined ? undefined : messages[indexOfSeq(messages, replyToSeqId)]
                  }
                  isEditing={editingKey !== undefined && key === editingKey}
                  isHighlighted={highlighted !== undefined && message.seqId === highlighted}
                  isLast={index === messages.length - 1}
                  showsSender={props.showsSenders}
                  mayPin={props.mayPin}
                  mayRecall={props.mayRecall}
                  names={props.names}
                />
              </div>
            );
          })}
        </div>
      </div>
      {unreadFrom !== undefined && isAbove(virtualizer, indexOfSeq(messages, unreadFrom)) && (
        <div className={styles.firstUnread}>
          <Button small onClick={() => props.onJump(unreadFrom)}>
            {t.jumpToUnread}
          </Button>
        </div>
      )}
      {!isAtEnd && messages.length > 0 && (
        <div className={styles.latest}>
          <Button
            aria-label={t.jumpToLatest}
            title={t.jumpToLatest}
            onClick={() => virtualizer.scrollToEnd()}
          >
            {props.unreadCount > 0 && <span className={styles.count}>{props.unreadCount}</span>}
            <Icon name="down" />
          </Button>
        </div>
      )}
    </div>
  );
}

/** True if a message is above what is in view, or not loaded. */
const isAbove = ({ range }: Virtualizer, index: number): boolean =>
  range !== null && index < range.startIndex;

/** The seqId at this index, or the last one before it: what waits in the outbox has none. */
function storedSeqBefore(messages: readonly ShownMessage[], index: number): number {
  for (let at = index; at >= 0; at -= 1) {
    const { seqId = 0 } = messages[at] ?? {};
    if (seqId > 0) return seqId;
  }
  return 0;
}

type Virtualizer = ReturnType<typeof useVirtualizer<HTMLDivElement, Element>>;

/**
 * The list keeps its place by the offset of the last scroll event. One that is still to come would be lost when older
 * messages arrive at that moment, so the offset is read anew. A finger on the glass has rules of its own.
 */
function useCurrentOffset(
  instance: { readonly current: Virtualizer | undefined },
  scroller: { readonly current: HTMLDivElement | null },
  first: ShownMessage | undefined,
): void {
  const before = useRef(first);
  if (before.current === first) return;
  before.current = first;
  if (instance.current && scroller.current && matchMedia('(pointer: fine)').matches)
    instance.current.scrollOffset = scroller.current.scrollTop;
}

/** Once there are messages, shows the first unread one, or the latest. */
function useStartPosition(
  virtualizer: Virtualizer,
  messages: readonly ShownMessage[],
  unreadFrom: number | undefined,
): void {
  const isPlaced = useRef(false);
  const hasMessages = messages.length > 0;
  // biome-ignore lint/correctness/useExhaustiveDependencies: it happens once, with the first messages.
  useLayoutEffect(() => {
    if (isPlaced.current || !hasMessages) return;
    isPlaced.current = true;
    const index = unreadFrom === undefined ? -1 : indexOfSeq(messages, unreadFrom);
    if (index > 0) virtualizer.scrollToIndex(index, { align: 'center' });
    else virtualizer.scrollToEnd();
    return () => {
      isPlaced.current = false;
    };
  }, [hasMessages]);
}

/** Who reads the end still does when the list becomes lower: the field has grown, a keyboard or a note has come up. */
function useEndOnResize(scroller: { readonly current: HTMLDivElement | null }): void {
  useEffect(() => {
    const element = scroller.current;
    if (!element) return;
    let wasAtEnd = true;
    const look = () => {
      wasAtEnd = element.scrollHeight - element.scrollTop - element.clientHeight <= endThreshold;
    };
    const resized = new ResizeObserver(() => {
      if (wasAtEnd) element.scrollTop = element.scrollHeight;
    });
    resized.observe(element);
    element.addEventListener('scroll', look, { passive: true });
    return () => {
      resized.disconnect();
      element.removeEventListener('scroll', look);
    };
  }, [scroller]);
}

/** Tells what was on the screen, as soon as the page is visible. */
function useSeen(seqId: number, onSeen: (seqId: number) => void): void {
  useEffect(() => {
    const tell = () => {
      if (document.visibilityState === 'visible' && seqId > 0) onSeen(seqId);
    };
    tell();
    document.addEventListener('visibilitychange', tell);
    return () => document.removeEventListener('visibilitychange', tell);
  }, [seqId, onSeen]);
}

/** Arrows go from message to message. */
function moveAmongMessages(event: KeyboardEvent<HTMLElement>): void {
  const step = event.key === 'ArrowUp' ? -1 : event.key === 'ArrowDown' ? 1 : 0;
  if (step === 0 || !(event.target instanceof HTMLElement) || event.target.tagName !== 'ARTICLE') return;
  const item = event.target.closest<HTMLElement>('[data-index]');
  const wanted = Number(item?.dataset.index) + step;
  const next = event.currentTarget.querySelector<HTMLElement>(`[data-index="${wanted}"] article`);
  if (!next) return;
  event.preventDefault();
  next.focus();
}
