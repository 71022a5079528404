import { limits } from './limits.ts';

/** The settings of a user: the possible values, and the defaults. */

/** Who may add the user to a group without the user's consent. */
export const groupInviteChoices = ['everyone', 'friends'] as const;

/** Who may see whether the user is online and when the user was last active. */
export const lastSeenChoices = ['everyone', 'friends', 'nobody'] as const;

/** True if a viewer may see the presence of a user whose setting is `lastSeen`. `isFriend`: the viewer is a friend. */
export const seesPresence = (lastSeen: string, isFriend: boolean): boolean =>
  lastSeen === 'everyone' || (isFriend && lastSeen !== 'nobody');

export const defaultUserSettings = {
  groupInvites: 'everyone',
  lastSeen: 'friends',
  readReceipts: true,
  locale: '',
} as const;

/** A BCP 47 language tag in its canonical form (`EN-us` becomes `en-US`); undefined if it is invalid or too long. */
export function canonicalLocale(tag: string): string | undefined {
  if (tag.length > limits.locale) return undefined;
  try {
    const [canonical] = Intl.getCanonicalLocales(tag);
    return canonical !== undefined && canonical.length <= limits.locale ? canonical : undefined;
  } catch {
    return undefined;
  }
}
