import type { Conversation, Member, ShownMessage } from '@gochat/sdk';
import { useMemo, useRef } from 'react';
import { nameOf } from '../people/names.ts';

/** Names by user id, of members and of whoever has written. The map stays the same while the names do. */
export function useNames(
  messages: readonly ShownMessage[],
  members: readonly Member[] | undefined,
  conversation: Conversation | undefined,
): ReadonlyMap<string, string> {
  const known = useRef<ReadonlyMap<string, string>>(new Map());
  return useMemo(() => {
    const names = new Map<string, string>();
    for (const { sender } of messages) names.set(sender.id, nameOf(sender));
    for (const member of members ?? []) names.set(member.id, nameOf(member));
    if (conversation?.peer) names.set(conversation.peer.id, nameOf(conversation.peer));
    if (!isSame(known.current, names)) known.current = names;
    return known.current;
  }, [messages, members, conversation?.peer]);
}

function isSame(one: ReadonlyMap<string, string>, other: ReadonlyMap<string, string>): boolean {
  if (one.size !== other.size) return false;
  for (const [id, name] of one) if (other.get(id) !== name) return false;
  return true;
}
