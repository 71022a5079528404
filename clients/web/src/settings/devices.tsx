import { useClient } from '@gochat/sdk/react';
import { useCallback, useEffect, useState } from 'react';
import { useLanguage } from '../i18n/language.tsx';
import { useTold } from '../session/use-told.ts';
import { Button } from '../ui/button.tsx';
import styles from './settings-screen.module.css';

interface Device {
  id: string;
  lastUsedAt: number;
  userAgent: string;
  address: string;
  current: boolean;
}

/** Where the user is signed in. `onSignOut` signs out here. */
export function Devices({ onSignOut }: { onSignOut(): void }) {
  const { t, times } = useLanguage();
  const client = useClient();
  const told = useTold();
  const [devices, setDevices] = useState<readonly Device[]>([]);
  const load = useCallback(
    () =>
      client
        .call('GET /auth/sessions', { query: { limit: 100 } })
        .then(({ sessions }) => setDevices(sessions)),
    [client],
  );
  useEffect(() => {
    // Without network the list stays empty; the note above says why.
    load().catch(() => {});
  }, [load]);

  const end = (sessionId: string) =>
    told(client.call('DELETE /auth/sessions/{sessionId}', { path: { sessionId } }).then(load));

  return (
    <section className={styles.section}>
      <h2>{t.devices}</h2>
      <ul aria-label={t.devices} className={styles.list}>
        {devices.map(({ id, userAgent, address, lastUsedAt, current }) => (
          <li key={id} className={styles.row}>
            <div className={styles.grow}>
              <p>{browserOf(userAgent)}</p>
              <p className={styles.soft}>
                {address} · {current ? t.thisDevice : t.lastUsed(times.ago(lastUsedAt))}
              </p>
            </div>
            <Button small onClick={() => (current ? onSignOut() : void end(id))}>
              {t.signOut}
            </Button>
          </li>
        ))}
      </ul>
    </section>
  );
}

/** "Chrome 156, Linux" of what a browser says about itself; other programs as they say. */
function browserOf(userAgent: string): string {
  const browser =
    /(Edg|OPR|Firefox|Chrome)\/(\d+)/.exec(userAgent) ??
    /Version\/(\d+).*(Safari)/.exec(userAgent)?.reverse();
  const system = /(Windows|Mac OS X|Android|iPhone|iPad|Linux)/.exec(userAgent)?.[1];
  if (!browser) return userAgent || '?';
  const [first = '', second = ''] = browser.slice(userAgent.includes('Version/') ? 0 : 1);
  return [`${first} ${second}`.trim(), system].filter(Boolean).join(', ');
}
