import type { ShownMessage } from '@gochat/sdk';
import { createContext, useContext } from 'react';

/** What a message asks its conversation to do. The object stays the same while a conversation is open. */
export interface ChatActions {
  reply(message: ShownMessage): void;
  /** Opens the field in which a message is edited; undefined closes it. */
  edit(message: ShownMessage | undefined): void;
  saveEdit(message: ShownMessage, text: string): void;
  pickReaction(message: ShownMessage): void;
  toggleReaction(message: ShownMessage, emoji: string, isOn: boolean): void;
  askRecall(message: ShownMessage): void;
  pin(message: ShownMessage): void;
  copy(message: ShownMessage): void;
  retry(message: ShownMessage): void;
  discard(message: ShownMessage): void;
  jumpTo(seqId: number): void;
}

export const ChatActionsContext = createContext<ChatActions | undefined>(undefined);

export function useChatActions(): ChatActions {
  const actions = useContext(ChatActionsContext);
  if (!actions) throw new Error('useChatActions is used outside of a conversation.');
  return actions;
}
