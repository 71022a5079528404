// Room: friends, requests and finding people. It shows no conversation.

import type { Friend, FriendRequest } from '@gochat/sdk';
import { useClient, useConnection } from '@gochat/sdk/react';
import { useCallback, useEffect, useState } from 'react';

const pending = 0;

export interface People {
  /** Undefined until they are loaded. */
  friends: readonly Friend[] | undefined;
  incoming: readonly FriendRequest[];
  outgoing: readonly FriendRequest[];
  reload(): Promise<void>;
}

/** The user's friends and open requests, kept current by what the server tells. */
export function usePeople(): People {
  const client = useClient();
  const { state } = useConnection();
  const [friends, setFriends] = useState<readonly Friend[]>();
  const [incoming, setIncoming] = useState<readonly FriendRequest[]>([]);
  const [outgoing, setOutgoing] = useState<readonly FriendRequest[]>([]);

  const reload = useCallback(async () => {
    const [all, received, sent] = await Promise.all([
      client.friends.list(),
      client.friends.requests({ direction: 'incoming', status: pending }),
      client.friends.requests({ direction: 'outgoing', status: pending }),
    ]);
    setFriends(all);
    setIncoming(received);
    setOutgoing(sent);
  }, [client]);

  useEffect(() => {
    if (state !== 'online') return;
    // Without the list there is the connection note, which says why.
    const quietly = () => void reload().catch(() => {});
    quietly();
    const ends = [
      client.on('friend-request', quietly),
      client.on('friend-request-handled', quietly),
      client.on('presence', ({ userId, status, lastActiveAt }) =>
        setFriends((all) =>
          all?.map((one) =>
            one.id === userId ? { ...one, online: status === 'online', lastActiveAt } : one,
          ),
        ),
      ),
    ];
    return () => {
      for (const end of ends) end();
    };
  }, [client, state, reload]);

  return { friends, incoming, outgoing, reload };
}
