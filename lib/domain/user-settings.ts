import { limits } from './limits.ts';

/** What users choose for themselves: the values there are, and what holds for whoever chose nothing. */

/** Whose adding to a group needs no consent. */
export const groupInviteChoices = ['everyone', 'friends'] as const;

/** Who is told whether a user is online and when the user was last active. */
export const lastSeenChoices = ['everyone', 'friends', 'nobody'] as const;

/** Whether somebody sees the presence of a user who chose `lastSeen`; `isFriend`: of that user. */
export const seesPresence = (lastSeen: string, isFriend: boolean): boolean =>
  lastSeen === 'everyone' || (isFriend && lastSeen !== 'nobody');

export const defaultUserSettings = {
  groupInvites: 'everyone',
  lastSeen: 'friends',
  readReceipts: true,
  locale: '',
} as const;

/** A BCP 47 language tag in its canonical form (`EN-us` is `en-US`); undefined for what is none, or too long. */
export function canonicalLocale(tag: string): string | undefined {
  if (tag.length > limits.locale) return undefined;
  try {
    const [canonical] = Intl.getCanonicalLocales(tag);
    return canonical !== undefined && canonical.length <= limits.locale ? canonical : undefined;
  } catch {
    return undefined;
  }
}
