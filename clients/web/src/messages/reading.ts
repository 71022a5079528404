import type { Conversation, Member, RoomSnapshot, ShownMessage } from '@gochat/sdk';
import { isSameDay } from '../i18n/times.ts';

/** In larger conversations nobody is told who has read what. */
export const maxMembersWithReceipts = 500;

/** Two messages of one sender within this time are shown as one group. */
const groupedMs = 5 * 60_000;

/** How a message of one's own stands. */
export type Standing = 'sending' | 'sent' | 'read' | 'failed';

export function standingOf({ status, seqId }: ShownMessage, readSeq: number): Standing {
  if (status === 'failed') return 'failed';
  if (status !== undefined) return 'sending';
  return seqId <= readSeq ? 'read' : 'sent';
}

/** Up to which message somebody else has read. */
export function readSeqOf(
  { reads, members }: Pick<RoomSnapshot, 'reads' | 'members'>,
  conversation: Conversation | undefined,
  myId: string,
): number {
  if (!conversation || conversation.memberCount > maxMembersWithReceipts) return 0;
  let furthest = 0;
  for (const [userId, seqId] of Object.entries(reads)) {
    if (userId !== myId && seqId > furthest) furthest = seqId;
  }
  for (const { id, lastReadSeqId } of members ?? []) {
    if (id !== myId && lastReadSeqId > furthest) furthest = lastReadSeqId;
  }
  return furthest;
}

/** What separates a message from the one before it. */
export function breakBefore(
  message: ShownMessage,
  before: ShownMessage | undefined,
): { isNewDay: boolean; isNewGroup: boolean } {
  if (!before) return { isNewDay: true, isNewGroup: true };
  const isNewDay = !isSameDay(before.createdAt, message.createdAt);
  const isNewGroup =
    isNewDay ||
    before.sender.id !== message.sender.id ||
    before.messageType === systemMessage ||
    message.createdAt - before.createdAt > groupedMs;
  return { isNewDay, isNewGroup };
}

export const systemMessage = 4;

/** A message keeps its key when it leaves the outbox, so that its place on the screen stays. */
export const keyOf = (message: ShownMessage, myId: string): string =>
  message.sender.id === myId && message.clientMsgId !== '' ? message.clientMsgId : `#${message.seqId}`;

/** The index of the message with this seqId in consecutive messages; -1 if it is not among them. */
export function indexOfSeq(messages: readonly ShownMessage[], seqId: number): number {
  const first = messages[0]?.seqId ?? 0;
  const index = seqId - first;
  return first > 0 && messages[index]?.seqId === seqId ? index : -1;
}

/** The names of those who type. */
export function typistNames(
  userIds: readonly string[],
  messages: readonly ShownMessage[],
  members: readonly Member[] | undefined,
  conversation: Conversation | undefined,
): string[] {
  return userIds.flatMap((userId) => {
    const person =
      members?.find(({ id }) => id === userId) ??
      (conversation?.peer?.id === userId ? conversation.peer : undefined) ??
      messages.findLast(({ sender }) => sender.id === userId)?.sender;
    return person ? [person.displayName || person.username] : [];
  });
}
