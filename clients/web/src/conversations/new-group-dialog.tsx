import { useClient } from '@gochat/sdk/react';
import { type FormEvent, useState } from 'react';
import { useLanguage } from '../i18n/language.tsx';
import { FriendChoice } from '../people/friend-choice.tsx';
import { nameOf } from '../people/names.ts';
import { sentenceOf } from '../session/errors.ts';
import { Button } from '../ui/button.tsx';
import { Dialog } from '../ui/dialog.tsx';
import { Field } from '../ui/field.tsx';
import { go, paths } from '../ui/paths.ts';
import { toast } from '../ui/toast.tsx';
import styles from './new-group-dialog.module.css';

/** Makes a group of friends. */
export default function NewGroupDialog({ onClose }: { onClose(): void }) {
  const { t, list } = useLanguage();
  const client = useClient();
  const [name, setName] = useState('');
  const [memberIds, setMemberIds] = useState<readonly string[]>([]);
  const [busy, setBusy] = useState(false);

  async function create(event: FormEvent): Promise<void> {
    event.preventDefault();
    setBusy(true);
    try {
      const group = await client.groups.create({ name: name.trim(), memberIds: [...memberIds] });
      onClose();
      go(paths.conversation(group.id));
      if (group.memberCount <= memberIds.length) void tellRefused(group.id);
    } catch (error) {
      toast(sentenceOf(error, t), { isError: true });
      setBusy(false);
    }
  }

  /** Names the friends who take no invitations. */
  async function tellRefused(id: string): Promise<void> {
    const [members, friends] = await Promise.all([
      client.conversation(id).loadMembers(),
      client.friends.list(),
    ]);
    const missing = friends.filter(
      (friend) => memberIds.includes(friend.id) && !members.some((member) => member.id === friend.id),
    );
    if (missing.length > 0) toast(t.refusedInvitations(list(missing.map(nameOf))), { isError: true });
  }

  return (
    <Dialog title={t.newGroup} onClose={onClose}>
      <form className={styles.form} onSubmit={(event) => void create(event)}>
        <Field
          label={t.groupName}
          maxLength={100}
          data-first
          value={name}
          onChange={(event) => setName(event.target.value)}
        />
        <FriendChoice label={t.chooseMembers} chosen={memberIds} onChange={setMemberIds} />
        <Button kind="main" type="submit" disabled={busy || name.trim() === ''}>
          {t.create}
        </Button>
      </form>
    </Dialog>
  );
}
