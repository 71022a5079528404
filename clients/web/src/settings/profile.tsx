import { useClient } from '@gochat/sdk/react';
import { type FormEvent, useState } from 'react';
import { useLanguage } from '../i18n/language.tsx';
import { nameOf } from '../people/names.ts';
import { useMe } from '../session/me.ts';
import { useTold } from '../session/use-told.ts';
import { Avatar } from '../ui/avatar.tsx';
import { Button } from '../ui/button.tsx';
import { Field } from '../ui/field.tsx';
import { toast } from '../ui/toast.tsx';
import styles from './settings-screen.module.css';

/** How others see the user. */
export function Profile() {
  const { t } = useLanguage();
  const me = useMe();
  const client = useClient();
  const told = useTold();
  const [displayName, setDisplayName] = useState(me.displayName);
  const [avatarUrl, setAvatarUrl] = useState(me.avatarUrl);

  async function save(event: FormEvent): Promise<void> {
    event.preventDefault();
    const change = {
      displayName: displayName.trim(),
      ...(avatarUrl === me.avatarUrl ? {} : { avatarUrl: avatarUrl.trim() }),
    };
    if (await told(client.users.updateMe(change))) toast(t.saved);
  }

  return (
    // The server checks the picture's address: one of its own (/files/…) is none to the browser.
    <form className={styles.section} noValidate onSubmit={(event) => void save(event)}>
      <h2>{t.profile}</h2>
      <div className={styles.row}>
        <Avatar name={nameOf(me)} url={avatarUrl} size={56} />
        <p className={`${styles.soft} ${styles.grow}`}>@{me.username}</p>
      </div>
      <Field
        label={t.displayName}
        maxLength={50}
        value={displayName}
        onChange={(event) => setDisplayName(event.target.value)}
      />
      <Field
        label={t.pictureAddress}
        type="url"
        value={avatarUrl}
        onChange={(event) => setAvatarUrl(event.target.value)}
      />
      <Button kind="main" type="submit" disabled={displayName.trim() === ''}>
        {t.save}
      </Button>
    </form>
  );
}
