import { useClient } from '@gochat/sdk/react';
import { type FormEvent, useState } from 'react';
import { useLanguage } from '../i18n/language.tsx';
import { useTold } from '../session/use-told.ts';
import { Button } from '../ui/button.tsx';
import { Field } from '../ui/field.tsx';
import { toast } from '../ui/toast.tsx';
import styles from './settings-screen.module.css';

export function Password() {
  const { t } = useLanguage();
  const client = useClient();
  const told = useTold();
  const [oldPassword, setOld] = useState('');
  const [newPassword, setNew] = useState('');

  async function change(event: FormEvent): Promise<void> {
    event.preventDefault();
    if (!(await told(client.call('PUT /auth/password', { body: { oldPassword, newPassword } })))) return;
    toast(t.saved);
    setOld('');
    setNew('');
  }

  return (
    <form className={styles.section} onSubmit={(event) => void change(event)}>
      <h2>{t.changePassword}</h2>
      <Field
        label={t.oldPassword}
        type="password"
        autoComplete="current-password"
        value={oldPassword}
        onChange={(event) => setOld(event.target.value)}
      />
      <Field
        label={t.newPassword}
        type="password"
        autoComplete="new-password"
        value={newPassword}
        onChange={(event) => setNew(event.target.value)}
      />
      <Button type="submit" disabled={oldPassword === '' || newPassword === ''}>
        {t.changePassword}
      </Button>
    </form>
  );
}
