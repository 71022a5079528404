import type { Conversation, Message } from '@gochat/sdk';
import { useClient } from '@gochat/sdk/react';
import { useEffect } from 'react';
import { conversationType, previewOf, titleOf } from '../conversations/words.ts';
import type { Texts } from '../i18n/en.ts';
import { useLanguage } from '../i18n/language.tsx';
import { nameOf } from '../people/names.ts';
import { choices } from '../session/choices.ts';
import { useMe } from '../session/me.ts';
import { go, paths } from '../ui/paths.ts';

/** Shows a notification for each message that comes while no tab is looked at. */
export function useNotifications(): void {
  const client = useClient();
  const me = useMe();
  const { t } = useLanguage();
  useEffect(
    () =>
      client.on('message', (message) => {
        if (!choices.get().notifications || document.visibilityState === 'visible') return;
        const conversation = client.conversation(message.conversationId).get().conversation;
        if (!conversation || !isWanted(message, conversation, me.id)) return;
        show(message, conversation, t);
      }),
    [client, me.id, t],
  );
}

function isWanted({ sender, mentions }: Message, { notifications }: Conversation, myId: string): boolean {
  if (sender.id === myId || notifications === 'none') return false;
  return notifications === 'all' || mentions?.includes(myId) === true;
}

function show(message: Message, conversation: Conversation, t: Texts): void {
  if (!('Notification' in window) || Notification.permission !== 'granted') return;
  const isSingle = conversation.type === conversationType.single;
  const body = `${isSingle ? '' : `${nameOf(message.sender)}: `}${previewOf(message, t)}`;
  // Several tabs tell of the same message; with the same tag they show one notification.
  const tag = `${conversation.id} ${message.seqId}`;
  const notification = new Notification(titleOf(conversation, t), { body, tag, icon: '/icon.svg' });
  notification.onclick = () => {
    window.focus();
    go(paths.conversation(conversation.id));
    notification.close();
  };
}
