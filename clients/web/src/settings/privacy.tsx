import type { User } from '@gochat/sdk';
import { useClient } from '@gochat/sdk/react';
import { useEffect, useState } from 'react';
import { useLanguage } from '../i18n/language.tsx';
import { PersonRow } from '../people/person-row.tsx';
import { useTold } from '../session/use-told.ts';
import { Button } from '../ui/button.tsx';
import { Checkbox, Select } from '../ui/field.tsx';
import styles from './settings-screen.module.css';

interface UserSettings {
  groupInvites: 'everyone' | 'friends';
  lastSeen: 'everyone' | 'friends' | 'nobody';
  readReceipts: boolean;
}

/** What others may do and see. */
export function Privacy() {
  const { t } = useLanguage();
  const client = useClient();
  const told = useTold();
  const [settings, setSettings] = useState<UserSettings>();
  useEffect(() => {
    client.call('GET /users/settings').then(setSettings, () => {});
  }, [client]);

  function change(part: Partial<UserSettings>): void {
    const before = settings;
    if (!before) return;
    setSettings({ ...before, ...part });
    void told(client.call('PUT /users/settings', { body: part }).then(setSettings)).then(
      (isDone) => !isDone && setSettings(before),
    );
  }

  if (!settings) return null;
  return (
    <section className={styles.section}>
      <h2>{t.privacy}</h2>
      <Select
        label={t.groupInvites}
        value={settings.groupInvites}
        options={[
          ['everyone', t.everyone],
          ['friends', t.friendsOnly],
        ]}
        onChange={(groupInvites) => change({ groupInvites })}
      />
      <Select
        label={t.lastSeen}
        value={settings.lastSeen}
        options={[
          ['everyone', t.everyone],
          ['friends', t.friendsOnly],
          ['nobody', t.nobody],
        ]}
        onChange={(lastSeen) => change({ lastSeen })}
      />
      <Checkbox
        label={t.readReceipts}
        checked={settings.readReceipts}
        onChange={(event) => change({ readReceipts: event.target.checked })}
      />
      <Blocked />
    </section>
  );
}

function Blocked() {
  const { t } = useLanguage();
  const client = useClient();
  const told = useTold();
  const [blocked, setBlocked] = useState<readonly User[]>([]);
  useEffect(() => {
    client.friends.blocked().then(setBlocked, () => {});
  }, [client]);
  if (blocked.length === 0) return null;
  const unblock = async ({ id }: User) => {
    if (await told(client.friends.unblock(id))) setBlocked(blocked.filter((one) => one.id !== id));
  };
  return (
    <ul aria-label={t.blocked} className={styles.list}>
      {blocked.map((user) => (
        <PersonRow key={user.id} person={user} note={t.blocked}>
          <Button small onClick={() => void unblock(user)}>
            {t.unblock}
          </Button>
        </PersonRow>
      ))}
    </ul>
  );
}
