import type { Friend } from '@gochat/sdk';
import { useClient } from '@gochat/sdk/react';
import { useState } from 'react';
import { useLanguage } from '../i18n/language.tsx';
import { Button, IconButton } from '../ui/button.tsx';
import { Menu } from '../ui/menu.tsx';
import { go, paths } from '../ui/paths.ts';
import type { Act } from './act.ts';
import { nameOf } from './names.ts';
import { PersonRow } from './person-row.tsx';

export function FriendRow({ friend, act }: { friend: Friend; act: Act }) {
  const { t, times } = useLanguage();
  const client = useClient();
  const [menuAt, setMenuAt] = useState<Element>();
  const name = friend.remark || nameOf(friend);
  const presence = friend.online
    ? t.online
    : friend.lastActiveAt > 0
      ? t.offlineSince(times.ago(friend.lastActiveAt))
      : t.offlineNow;
  return (
    <PersonRow person={friend} name={name} online={friend.online} note={`@${friend.username} · ${presence}`}>
      <Button small kind="main" onClick={() => go(paths.conversation(friend.conversationId))}>
        {t.messagePerson}
      </Button>
      <Button small onClick={() => act(() => client.friends.block(friend.id))}>
        {t.block}
      </Button>
      <IconButton
        icon="more"
        label={t.memberActions(name)}
        aria-haspopup="menu"
        onClick={(event) => setMenuAt(event.currentTarget)}
      />
      {menuAt && (
        <Menu
          label={t.memberActions(name)}
          at={menuAt}
          onClose={() => setMenuAt(undefined)}
          items={[
            {
              label: t.removeFriend,
              icon: 'close',
              isDangerous: true,
              run: () => void act(() => client.friends.remove(friend.id)),
            },
          ]}
        />
      )}
    </PersonRow>
  );
}
