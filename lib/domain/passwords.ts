import { readFileSync } from 'node:fs';
import { limits } from './limits.ts';

const { shortest, longest } = limits.password;

/**
 * Deadline for hashing a password, in milliseconds, including the wait in the queue. Hashing is slow on purpose, and
 * the queue grows when many users sign in at the same time.
 */
export const hashingMs = 15_000;

/** The rule for a password's length, worded to follow the field's name ("password must be …"). */
export const passwordLengthRule = `must be ${shortest} to ${longest} characters`;

/** The reason to refuse a new password, worded to follow the field's name; undefined if the password is accepted. */
export function passwordRefusal(password: string, username: string): string | undefined {
  const length = [...password].length;
  if (length < shortest || length > longest) return passwordLengthRule;
  if (!password.isWellFormed()) return 'must be well-formed Unicode';
  const folded = fold(password);
  if (folded === fold(username)) return 'must not be the username';
  if (commonPasswords().has(folded)) return 'is one that many people use: it would be guessed soon';
  return undefined;
}

/** Removes differences in case and Unicode form, which make a password no harder to guess. */
const fold = (text: string): string => text.normalize('NFKC').toLowerCase();

let common: Set<string> | undefined;

/** The lines of common-passwords.txt. The file is read at the first call. */
function commonPasswords(): Set<string> {
  common ??= new Set(
    readFileSync(new URL('./common-passwords.txt', import.meta.url), 'utf8')
      .split('\n')
      .map(fold),
  );
  return common;
}
