import { useSyncExternalStore } from 'react';
import type { LanguageName } from '../i18n/language.tsx';

/** What somebody has chosen for this device. */
export interface Choices {
  theme: 'system' | 'light' | 'dark';
  language: 'system' | LanguageName;
  notifications: boolean;
}

const key = 'gochat.choices';
const standard: Choices = { theme: 'system', language: 'system', notifications: false };
const listeners = new Set<() => void>();
let current: Choices = read();

export const choices = {
  get: (): Choices => current,
  set(change: Partial<Choices>): void {
    current = { ...current, ...change };
    try {
      localStorage.setItem(key, JSON.stringify(current));
    } catch {
      // They last as long as the page then.
    }
    apply();
    for (const listener of listeners) listener();
  },
  /** Chooses for this page only. */
  fix(change: Partial<Choices>): void {
    current = { ...current, ...change };
    apply();
  },
  subscribe(onChange: () => void): () => void {
    listeners.add(onChange);
    return () => void listeners.delete(onChange);
  },
};

export const useChoices = (): Choices => useSyncExternalStore(choices.subscribe, choices.get);

/** Another tab has chosen. */
addEventListener('storage', (event) => {
  if (event.key !== key) return;
  current = read();
  apply();
  for (const listener of listeners) listener();
});
apply();

/** `color-scheme` of the page decides between the two values of each colour. */
function apply(): void {
  const { theme } = current;
  if (theme === 'system') delete document.documentElement.dataset.theme;
  else document.documentElement.dataset.theme = theme;
}

function read(): Choices {
  try {
    return { ...standard, ...JSON.parse(localStorage.getItem(key) ?? '{}') };
  } catch {
    return standard;
  }
}
