import type { Conversation, Message } from '@gochat/sdk';
import { useClient } from '@gochat/sdk/react';
import { useEffect, useState } from 'react';
import { previewOf } from '../conversations/words.ts';
import { useLanguage } from '../i18n/language.tsx';
import { nameOf } from '../people/names.ts';
import panel from './details-panel.module.css';
import styles from './pins.module.css';

/** The pinned messages; each leads to its place. */
export function Pins({ conversation, onJump }: { conversation: Conversation; onJump(seqId: number): void }) {
  const { t } = useLanguage();
  const client = useClient();
  const [pins, setPins] = useState<readonly Message[]>();
  const { id, lastChangeSeq } = conversation;
  // biome-ignore lint/correctness/useExhaustiveDependencies: pinning is a change of a message.
  useEffect(() => {
    let isOver = false;
    client.call('GET /conversations/{id}/pins', { path: { id } }).then(
      ({ messages }) => !isOver && setPins(messages),
      () => {},
    );
    return () => {
      isOver = true;
    };
  }, [client, id, lastChangeSeq]);
  if (!pins || pins.length === 0) return null;
  return (
    <section className={panel.section}>
      <h3>{t.pinnedMessages}</h3>
      <ul aria-label={t.pinnedMessages} className={styles.pins}>
        {pins.map((message) => (
          <li key={message.id}>
            <button type="button" className={styles.pin} onClick={() => onJump(message.seqId)}>
              <span className={styles.name} dir="auto">
                {nameOf(message.sender)}
              </span>
              <span className={styles.text} dir="auto">
                {previewOf(message, t)}
              </span>
            </button>
          </li>
        ))}
      </ul>
    </section>
  );
}
