// Room: what a user sets for the account and for this device.

import { useClient } from '@gochat/sdk/react';
import { useLanguage } from '../i18n/language.tsx';
import { account } from '../session/account.ts';
import { keptDrafts } from '../session/kept-drafts.ts';
import { useMe } from '../session/me.ts';
import { Button } from '../ui/button.tsx';
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
  const signOut = useSignOut();
  return (
    <div className={styles.screen}>
      <h1>{t.settings}</h1>
      {isGuest && <Guest />}
      <Profile />
      <Appearance />
      <Notifications />
      <Privacy />
      {!isGuest && <Password />}
      <Devices onSignOut={signOut} />
      <section className={styles.section}>
        <Button kind="danger" onClick={signOut}>
          {t.signOut}
        </Button>
      </section>
    </div>
  );
}

/** Signs out on this device. */
function useSignOut(): () => void {
  const client = useClient();
  return () => {
    account.leave();
    client
      .signOut({ wipe: true })
      // Without network the session ends by itself one day; nothing of it stays here.
      .catch(() => {})
      .then(() => {
        keptDrafts.clear();
        account.clear();
      });
  };
}
