import type { Session } from '@gochat/sdk';
import { type FormEvent, useState } from 'react';
import { useLanguage } from '../i18n/language.tsx';
import { Button } from '../ui/button.tsx';
import { Field } from '../ui/field.tsx';
import { account } from './account.ts';
import { sentenceOf } from './errors.ts';
import { continueAsGuest, createAccount, signIn } from './sign-in.ts';
import styles from './sign-in-screen.module.css';

/** Where one signs in, makes an account or goes on as a guest. `notice` says why one is here again. */
export function SignInScreen({ notice }: { notice?: string | undefined }) {
  const { t } = useLanguage();
  const [username, setUsername] = useState('');
  const [password, setPassword] = useState('');
  const [error, setError] = useState(notice ?? '');
  const [busy, setBusy] = useState(false);

  async function begin(run: () => Promise<Session>): Promise<void> {
    setBusy(true);
    setError('');
    try {
      account.set(await run());
    } catch (caught) {
      setError(sentenceOf(caught, t));
      setBusy(false);
    }
  }

  const fields = { username: username.trim(), password };
  function beginWith(run: (given: typeof fields) => Promise<Session>): void {
    if (fields.username === '' || password === '') setError(t.nameAndPasswordNeeded);
    else void begin(() => run(fields));
  }

  return (
    <main className={styles.screen}>
      <form
        className={styles.card}
        noValidate
        onSubmit={(event: FormEvent) => {
          event.preventDefault();
          beginWith(signIn);
        }}
      >
        <img src="/icon.svg" alt="" width={56} height={56} />
        <h1>{t.appName}</h1>
        <p className={styles.lead}>{t.signInLead}</p>
        <Field
          label={t.username}
          name="username"
          autoComplete="username"
          autoCapitalize="none"
          spellCheck={false}
          value={username}
          onChange={(event) => setUsername(event.target.value)}
        />
        <Field
          label={t.password}
          name="password"
          type="password"
          autoComplete="current-password"
          value={password}
          onChange={(event) => setPassword(event.target.value)}
        />
        {/* The place stays, so that nothing jumps; an alert is there only while there is something to tell. */}
        <div className={styles.error}>{error !== '' && <p role="alert">{error}</p>}</div>
        <Button kind="main" type="submit" disabled={busy}>
          {t.signIn}
        </Button>
        <Button disabled={busy} onClick={() => beginWith(createAccount)}>
          {t.createAccount}
        </Button>
        <button
          type="button"
          className={styles.guest}
          disabled={busy}
          onClick={() => void begin(continueAsGuest)}
        >
          {t.continueAsGuest}
        </button>
      </form>
    </main>
  );
}
