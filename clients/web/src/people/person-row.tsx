import type { ReactNode } from 'react';
import { Avatar } from '../ui/avatar.tsx';
import { nameOf } from './names.ts';
import styles from './person-row.module.css';

/** A person in a list, with what can be done. */
export function PersonRow({
  person,
  note,
  name = nameOf(person),
  online = false,
  children,
}: {
  person: { displayName: string; username: string; avatarUrl: string };
  note?: string | undefined;
  name?: string;
  online?: boolean;
  children?: ReactNode;
}) {
  return (
    <li className={styles.person}>
      <Avatar name={name} url={person.avatarUrl} online={online} />
      <div className={styles.words}>
        <p className={styles.name} dir="auto">
          {name}
        </p>
        {note && (
          <p className={styles.note} dir="auto">
            {note}
          </p>
        )}
      </div>
      <div className={styles.actions}>{children}</div>
    </li>
  );
}
