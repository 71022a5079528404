// Room: what a user sets for the account and for this device.

import { useClient } from '@gochat/sdk/react';
import { useState } from 'react';
import { useLanguage } from '../i18n/language.tsx';
import { account } from '../session/account.ts';
import { useMe } from '../session/me.ts';
import { Button } from '../ui/button.tsx';
import { Question } from '../ui/dialog.tsx';
import { Appearance } from './appearance.tsx';
import { Devices } from './devices.tsx';
import { Guest } from './guest.tsx';
import { Notifications } from './notifications.tsx';
import { Password } from './password.tsx';
import { Privacy } from './privacy.tsx';
import { Profile } from './profile.tsx';
import styles from './settings-screen.module.css';

export default function SettingsScreen() {
  const { t } = useLanguage();
  const { isGuest } = useMe();
  const [asks, setAsks] = useState(false);
  return (
    <div className={styles.screen}>
      <h1>{t.settings}</h1>
      {isGuest && <Guest />}
      <Profile />
      <Appearance />
      <Notifications />
      <Privacy />
      {!isGuest && <Password />}
      <Devices onSignOut={() => setAsks(true)} />
      <section className={styles.section}>
        <Button kind="danger" onClick={() => setAsks(true)}>
          {t.signOut}
        </Button>
      </section>
      {asks && <SignOut onClose={() => setAsks(false)} />}
    </div>
  );
}

/** Asks, and signs out on this device. */
function SignOut({ onClose }: { onClose(): void }) {
  const { t } = useLanguage();
  const client = useClient();

  async function signOut(): Promise<void> {
    account.leave();
    // Without network the session ends by itself one day; nothing of it stays here.
    await client.signOut({ wipe: true }).catch(() => {});
    account.clear();
  }

  return (
    <Question
      title={t.signOutQuestion}
      hint={t.signOutHint}
      action={t.signOut}
      onYes={() => void signOut()}
      onClose={onClose}
    />
  );
}
