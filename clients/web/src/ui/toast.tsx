import { useSyncExternalStore } from 'react';
import styles from './toast.module.css';

interface Toast {
  id: number;
  text: string;
  isError: boolean;
}

const shownMs = 5_000;
const most = 3;
let toasts: readonly Toast[] = [];
let lastId = 0;
const listeners = new Set<() => void>();

/** Tells in a few words what has happened, for some seconds. */
export function toast(text: string, { isError = false } = {}): void {
  lastId += 1;
  const id = lastId;
  change([...toasts, { id, text, isError }].slice(-most));
  setTimeout(() => change(toasts.filter((one) => one.id !== id)), shownMs);
}

function change(next: readonly Toast[]): void {
  toasts = next;
  for (const listener of listeners) listener();
}

function subscribe(onChange: () => void): () => void {
  listeners.add(onChange);
  return () => void listeners.delete(onChange);
}

export function Toasts() {
  const all = useSyncExternalStore(subscribe, () => toasts);
  return (
    <div className={styles.toasts} aria-live="polite">
      {all.map(({ id, text, isError }) => (
        <p
          key={id}
          className={`${styles.toast} ${isError ? styles.error : ''}`}
          role={isError ? 'alert' : undefined}
        >
          {text}
        </p>
      ))}
    </div>
  );
}
