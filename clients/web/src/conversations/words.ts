// Room: the list of conversations, and what it says of each. It shows no messages.

import type { Conversation, Message } from '@gochat/sdk';
import type { Texts } from '../i18n/en.ts';
import { nameOf } from '../people/names.ts';

export const conversationType = { single: 1, group: 2, world: 3 } as const;
export const messageType = { text: 1, image: 2, file: 3, system: 4 } as const;

/** The name that a conversation has for this user. */
export function titleOf({ type, name, peer }: Conversation, t: Texts): string {
  if (type === conversationType.single) return peer ? nameOf(peer) : name;
  return name || (type === conversationType.world ? t.world : '');
}

/** A message in one line. */
export function previewOf(message: Message, t: Texts): string {
  if (message.deleted) return t.recalledPreview;
  if (message.messageType === messageType.image) return t.photo;
  if (message.messageType === messageType.file) return fileNameOf(message) ?? t.file;
  return message.content;
}

function fileNameOf({ content }: Message): string | undefined {
  try {
    const { name } = JSON.parse(content);
    return typeof name === 'string' ? name : undefined;
  } catch {
    return undefined;
  }
}
