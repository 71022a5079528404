// Room: the parts of which screens are made: buttons, fields, dialogs, menus, avatars, texts with links. None of them knows
// what a conversation is.

import type { ButtonHTMLAttributes, Ref } from 'react';
import styles from './button.module.css';
import { Icon, type IconName } from './icon.tsx';

type Plain = Omit<ButtonHTMLAttributes<HTMLButtonElement>, 'className'> & { ref?: Ref<HTMLButtonElement> };

/** A button with words. */
export function Button({
  kind = 'quiet',
  small = false,
  ...rest
}: Plain & { kind?: 'main' | 'quiet' | 'danger'; small?: boolean }) {
  return (
    <button
      type="button"
      className={`${styles.button} ${styles[kind]} ${small ? styles.small : ''}`}
      {...rest}
    />
  );
}

/** A button that shows an icon, and whose name a pointer sees as a tip. */
export function IconButton({
  icon,
  label,
  size = 20,
  kind = 'plain',
  ...rest
}: Plain & { icon: IconName; label: string; size?: number; kind?: 'plain' | 'main' }) {
  return (
    <button
      type="button"
      className={`${styles.icon} ${kind === 'main' ? styles.main : ''}`}
      aria-label={label}
      title={label}
      {...rest}
    >
      <Icon name={icon} size={size} />
    </button>
  );
}
