import { useClient } from '@gochat/sdk/react';
import { type FormEvent, useState } from 'react';
import { useLanguage } from '../i18n/language.tsx';
import { account } from '../session/account.ts';
import { useTold } from '../session/use-told.ts';
import { Button } from '../ui/button.tsx';
import { Field } from '../ui/field.tsx';
import styles from './settings-screen.module.css';

/** A guest becomes a registered user, and stays the same person. */
export function Guest() {
  const { t } = useLanguage();
  const client = useClient();
  const told = useTold();
  const [username, setUsername] = useState('');
  const [password, setPassword] = useState('');

  function upgrade(event: FormEvent): void {
    event.preventDefault();
    const body = { username: username.trim(), password };
    // The answer is the only session that stays: the page goes on with it.
    void told(client.call('POST /auth/upgrade', { body }).then(account.set));
  }

  return (
    <form className={styles.section} onSubmit={upgrade}>
      <h2>{t.keepAccount}</h2>
      <p className={styles.soft}>{t.keepAccountHint}</p>
      <Field
        label={t.username}
        autoComplete="username"
        value={username}
        onChange={(event) => setUsername(event.target.value)}
      />
      <Field
        label={t.password}
        type="password"
        autoComplete="new-password"
        value={password}
        onChange={(event) => setPassword(event.target.value)}
      />
      <Button kind="main" type="submit" disabled={username.trim() === '' || password === ''}>
        {t.createAccount}
      </Button>
    </form>
  );
}
