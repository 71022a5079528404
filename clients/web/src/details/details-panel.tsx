// Room: what belongs to a conversation beside its messages: members, what is pinned, choices, administration.

import type { Conversation } from '@gochat/sdk';
import { useClient, useConversation } from '@gochat/sdk/react';
import { useState } from 'react';
import { conversationType, titleOf } from '../conversations/words.ts';
import { useLanguage } from '../i18n/language.tsx';
import { useTold } from '../session/use-told.ts';
import { Avatar } from '../ui/avatar.tsx';
import { Button, IconButton } from '../ui/button.tsx';
import { Question } from '../ui/dialog.tsx';
import { Checkbox, Select } from '../ui/field.tsx';
import { go, paths } from '../ui/paths.ts';
import { Announcement } from './announcement.tsx';
import styles from './details-panel.module.css';
import { Members } from './members.tsx';
import { Pins } from './pins.tsx';

const owner = 3;

/** The panel beside a conversation. */
export default function DetailsPanel({
  id,
  onClose,
  onJump,
}: {
  id: string;
  onClose(): void;
  onJump(seqId: number): void;
}) {
  const { t } = useLanguage();
  const { conversation } = useConversation(id);
  if (!conversation) return null;
  const title = titleOf(conversation, t);
  const isGroup = conversation.type === conversationType.group;
  return (
    <aside className={styles.panel} aria-label={t.details}>
      <header className={styles.head}>
        <h2>{t.details}</h2>
        <IconButton icon="close" label={t.close} onClick={onClose} />
      </header>
      <div className={styles.who}>
        <Avatar name={title} url={conversation.peer?.avatarUrl ?? conversation.avatarUrl} size={72} />
        <p className={styles.title} dir="auto">
          {title}
        </p>
        <p className={styles.soft}>
          {conversation.peer ? `@${conversation.peer.username}` : t.memberCount(conversation.memberCount)}
        </p>
      </div>
      {isGroup && <Announcement conversation={conversation} />}
      <OwnChoices conversation={conversation} />
      <Pins conversation={conversation} onJump={onJump} />
      {isGroup && <Members conversation={conversation} />}
      {isGroup && <Leaving conversation={conversation} />}
    </aside>
  );
}

/** What one chooses for oneself. */
function OwnChoices({ conversation }: { conversation: Conversation }) {
  const { t } = useLanguage();
  const client = useClient();
  const told = useTold();
  const { id, notifications, pinned } = conversation;
  return (
    <section className={styles.section}>
      <Select
        label={t.notifications}
        value={notifications}
        options={[
          ['all', t.notifyAll],
          ['mentions', t.notifyMentions],
          ['none', t.notifyNone],
        ]}
        onChange={(value) => void told(client.groups.choose(id, { notifications: value }))}
      />
      <Checkbox
        label={t.pinConversation}
        checked={pinned}
        onChange={(event) => void told(client.groups.choose(id, { pinned: event.target.checked }))}
      />
      <Button
        small
        onClick={() => {
          void told(client.groups.choose(id, { hidden: true }));
          go(paths.chats);
        }}
      >
        {t.hideConversation}
      </Button>
    </section>
  );
}

function Leaving({ conversation }: { conversation: Conversation }) {
  const { t } = useLanguage();
  const client = useClient();
  const told = useTold();
  const [asksDissolve, setAsksDissolve] = useState(false);
  const { id, role } = conversation;
  const end = async (work: Promise<unknown>) => {
    if (await told(work)) go(paths.chats);
  };
  return (
    <section className={styles.section}>
      {role < owner && (
        <Button small onClick={() => void end(client.groups.leave(id))}>
          {t.leaveGroup}
        </Button>
      )}
      {role === owner && (
        <Button small kind="danger" onClick={() => setAsksDissolve(true)}>
          {t.dissolveGroup}
        </Button>
      )}
      {asksDissolve && (
        <Question
          title={t.dissolveQuestion}
          hint={t.dissolveHint}
          action={t.dissolveGroup}
          onYes={() => void end(client.groups.dissolve(id))}
          onClose={() => setAsksDissolve(false)}
        />
      )}
    </section>
  );
}
