import { useClient, useConnection } from '@gochat/sdk/react';
import { useEffect, useState } from 'react';

export interface Presence {
  online: boolean;
  lastActiveAt: number;
}

/** Whether somebody is online, as far as the server tells this user. */
export function usePresence(userId: string): Presence | undefined {
  const client = useClient();
  const { state } = useConnection();
  const [presence, setPresence] = useState<Presence>();
  useEffect(() => {
    if (state !== 'online') return;
    let isOver = false;
    client.users.get(userId).then(
      ({ online, lastActiveAt = 0 }) => {
        if (!isOver && online !== undefined) setPresence({ online, lastActiveAt });
      },
      () => {},
    );
    const end = client.on('presence', (told) => {
      if (told.userId === userId)
        setPresence({ online: told.status === 'online', lastActiveAt: told.lastActiveAt });
    });
    return () => {
      isOver = true;
      end();
    };
  }, [client, userId, state]);
  return presence;
}
