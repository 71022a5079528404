import type { Conversation, Member } from '@gochat/sdk';
import { useClient, useConversation } from '@gochat/sdk/react';
import { useState } from 'react';
import { useLanguage } from '../i18n/language.tsx';
import { nameOf } from '../people/names.ts';
import { PersonRow } from '../people/person-row.tsx';
import { useMe } from '../session/me.ts';
import { useTold } from '../session/use-told.ts';
import { Button, IconButton } from '../ui/button.tsx';
import { Question } from '../ui/dialog.tsx';
import { Menu, type MenuItem } from '../ui/menu.tsx';
import { AddMembersDialog } from './add-members-dialog.tsx';
import panel from './details-panel.module.css';

const admin = 2;
const owner = 3;
/** A longer list would be no help; the members are found by search then. */
const maxShown = 500;

/** The members of a group, and what this user may do with each of them. */
export function Members({ conversation }: { conversation: Conversation }) {
  const { t } = useLanguage();
  const { members, room } = useConversation(conversation.id);
  const [adds, setAdds] = useState(false);
  const { role, settings } = conversation;
  const mayAdd = role >= admin || settings.inviteBy === 'members';
  const sorted = [...(members ?? [])].sort((a, b) => b.role - a.role || nameOf(a).localeCompare(nameOf(b)));
  return (
    <section className={panel.section}>
      <h3>{t.memberCount(conversation.memberCount)}</h3>
      {mayAdd && (
        <Button small onClick={() => setAdds(true)}>
          {t.addMembers}
        </Button>
      )}
      <ul aria-label={t.members}>
        {sorted.slice(0, maxShown).map((member) => (
          <MemberRow
            key={member.id}
            member={member}
            conversation={conversation}
            reload={() => room.loadMembers()}
          />
        ))}
      </ul>
      {adds && (
        <AddMembersDialog
          conversation={conversation}
          memberIds={sorted.map(({ id }) => id)}
          onClose={() => setAdds(false)}
        />
      )}
    </section>
  );
}

function MemberRow({
  member,
  conversation,
  reload,
}: {
  member: Member;
  conversation: Conversation;
  reload(): Promise<unknown>;
}) {
  const { t } = useLanguage();
  const me = useMe();
  const client = useClient();
  const told = useTold();
  const [menuAt, setMenuAt] = useState<Element>();
  const [asksOwner, setAsksOwner] = useState(false);
  const name = nameOf(member);
  const { id } = conversation;
  const { members } = client.groups;

  const act = async (work: Promise<unknown>) => {
    await told(work);
    await reload().catch(() => {});
  };
  const isAbove = conversation.role > member.role && conversation.role >= admin && member.id !== me.id;
  const isOwner = conversation.role === owner;
  const items: (MenuItem | false)[] = [
    isOwner && {
      label: member.role === admin ? t.makeMember : t.makeAdmin,
      icon: 'people',
      run: () => void act(members.setRole(id, member.id, member.role === admin ? 1 : 2)),
    },
    {
      label: member.muted ? t.unmute : t.mute,
      icon: 'mute',
      run: () => void act(members.mute(id, member.id, !member.muted)),
    },
    isOwner && { label: t.makeOwner, icon: 'crown', run: () => setAsksOwner(true) },
    { label: t.remove, icon: 'close', isDangerous: true, run: () => void act(members.remove(id, member.id)) },
  ];
  const roles = [
    member.role === owner && t.owner,
    member.role === admin && t.admin,
    member.muted && t.muted,
  ].filter((word) => word !== false);

  return (
    <PersonRow person={member} note={roles.length > 0 ? roles.join(' · ') : `@${member.username}`}>
      {isAbove && (
        <IconButton
          icon="more"
          label={t.memberActions(name)}
          aria-haspopup="menu"
          onClick={(event) => setMenuAt(event.currentTarget)}
        />
      )}
      {menuAt && (
        <Menu
          label={t.memberActions(name)}
          at={menuAt}
          items={items.filter((item) => item !== false)}
          onClose={() => setMenuAt(undefined)}
        />
      )}
      {asksOwner && (
        <Question
          title={t.makeOwnerQuestion(name)}
          action={t.makeOwner}
          onYes={() => void act(client.groups.transfer(id, member.id))}
          onClose={() => setAsksOwner(false)}
        />
      )}
    </PersonRow>
  );
}
