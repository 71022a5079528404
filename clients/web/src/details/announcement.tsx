import type { Conversation } from '@gochat/sdk';
import { useClient } from '@gochat/sdk/react';
import { type FormEvent, useId, useState } from 'react';
import { useLanguage } from '../i18n/language.tsx';
import { useTold } from '../session/use-told.ts';
import { Button } from '../ui/button.tsx';
import { Checkbox, Field } from '../ui/field.tsx';
import { RichText } from '../ui/rich-text.tsx';
import { TextArea } from '../ui/text-area.tsx';
import styles from './announcement.module.css';
import panel from './details-panel.module.css';

const admin = 2;

/** What the group tells its members; owner and admins change it, with the name and the rules of the group. */
export function Announcement({ conversation }: { conversation: Conversation }) {
  const { t } = useLanguage();
  if (conversation.role >= admin) {
    // What somebody else has changed meanwhile is shown.
    const { id, name, announcement } = conversation;
    return <GroupForm key={JSON.stringify([id, name, announcement])} conversation={conversation} />;
  }
  if (conversation.announcement === '' && conversation.description === '') return null;
  return (
    <section className={panel.section}>
      {conversation.description && (
        <p className={styles.text} dir="auto">
          <RichText text={conversation.description} />
        </p>
      )}
      {conversation.announcement && (
        <>
          <h3>{t.announcement}</h3>
          <p className={styles.text} dir="auto">
            <RichText text={conversation.announcement} />
          </p>
        </>
      )}
    </section>
  );
}

function GroupForm({ conversation }: { conversation: Conversation }) {
  const { t } = useLanguage();
  const client = useClient();
  const told = useTold();
  const id = useId();
  const [name, setName] = useState(conversation.name);
  const [announcement, setAnnouncement] = useState(conversation.announcement);
  const isChanged = name.trim() !== conversation.name || announcement !== conversation.announcement;
  const { inviteBy, muteAll } = conversation.settings;

  function save(event: FormEvent): void {
    event.preventDefault();
    void told(client.groups.update(conversation.id, { name: name.trim(), announcement }));
  }

  return (
    <form className={panel.section} onSubmit={save}>
      <Field
        label={t.groupName}
        maxLength={100}
        value={name}
        onChange={(event) => setName(event.target.value)}
      />
      <div className={styles.field}>
        <label htmlFor={id}>{t.announcement}</label>
        <TextArea
          id={id}
          dir="auto"
          rows={2}
          value={announcement}
          onChange={(event) => setAnnouncement(event.target.value)}
        />
      </div>
      <Button small kind="main" type="submit" disabled={!isChanged || name.trim() === ''}>
        {t.save}
      </Button>
      <Checkbox
        label={t.membersInvite}
        checked={inviteBy === 'members'}
        onChange={(event) =>
          void told(
            client.groups.update(conversation.id, {
              settings: { inviteBy: event.target.checked ? 'members' : 'admins' },
            }),
          )
        }
      />
      <Checkbox
        label={t.onlyAdminsMayWrite}
        checked={muteAll}
        onChange={(event) =>
          void told(client.groups.update(conversation.id, { settings: { muteAll: event.target.checked } }))
        }
      />
    </form>
  );
}
