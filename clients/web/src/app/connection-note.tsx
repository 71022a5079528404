import { useClient, useConnection } from '@gochat/sdk/react';
import { useEffect, useState } from 'react';
import { useLanguage } from '../i18n/language.tsx';
import { Button } from '../ui/button.tsx';
import styles from './connection-note.module.css';

/** A connection that comes back within this time is not worth a word. */
const patienceMs = 700;

/** Says when the connection is not there, and what that means. */
export function ConnectionNote() {
  const { t } = useLanguage();
  const client = useClient();
  const { state, retryAt } = useConnection();
  const isDown = state === 'offline' || state === 'connecting';
  const [shown, setShown] = useState(false);
  useEffect(() => {
    if (!isDown) return setShown(false);
    // A browser that is offline will not be back so soon.
    if (!navigator.onLine) return setShown(true);
    const timer = setTimeout(() => setShown(true), patienceMs);
    return () => clearTimeout(timer);
  }, [isDown]);
  const isShown = isDown && shown;
  const words = state === 'connecting' ? t.connecting : t.offline;
  return (
    <div role="status" className={styles.status}>
      {isShown && (
        <div className={styles.note}>
          <span>{words}</span>
          {state === 'offline' && retryAt !== undefined && (
            // The browser's own event is what makes the SDK try at once.
            <Button small onClick={() => dispatchEvent(new Event('online'))} disabled={client === undefined}>
              {t.tryNow}
            </Button>
          )}
        </div>
      )}
    </div>
  );
}
