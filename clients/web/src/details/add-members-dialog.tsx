import type { Conversation } from '@gochat/sdk';
import { useClient, useConversation } from '@gochat/sdk/react';
import { useState } from 'react';
import { useLanguage } from '../i18n/language.tsx';
import { FriendChoice } from '../people/friend-choice.tsx';
import { nameOf } from '../people/names.ts';
import { useTold } from '../session/use-told.ts';
import { Button } from '../ui/button.tsx';
import { Dialog } from '../ui/dialog.tsx';
import { toast } from '../ui/toast.tsx';

/** Chooses friends who become members. Who refuses invitations is named. */
export function AddMembersDialog({
  conversation,
  memberIds,
  onClose,
}: {
  conversation: Conversation;
  memberIds: readonly string[];
  onClose(): void;
}) {
  const { t, list } = useLanguage();
  const client = useClient();
  const told = useTold();
  const { room } = useConversation(conversation.id);
  const [chosen, setChosen] = useState<readonly string[]>([]);

  async function add(): Promise<void> {
    const { refused = [] } = await client.groups.members.add(conversation.id, [...chosen]);
    if (refused.length > 0) {
      const friends = await client.friends.list();
      const names = friends.filter(({ id }) => refused.includes(id)).map(nameOf);
      toast(t.refusedInvitations(list(names)), { isError: true });
    }
    await room.loadMembers();
  }

  return (
    <Dialog title={t.addMembers} onClose={onClose}>
      <FriendChoice label={t.friends} chosen={chosen} without={memberIds} onChange={setChosen} />
      <Button
        kind="main"
        disabled={chosen.length === 0}
        onClick={() => {
          onClose();
          void told(add());
        }}
      >
        {t.add}
      </Button>
    </Dialog>
  );
}
