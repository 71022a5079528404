import { readFileSync } from 'node:fs';
import { limits } from './limits.ts';

const { shortest, longest } = limits.password;

/** Hashing is slow on purpose, and slower still when many sign in at once: so long it may take with its waiting. */
export const hashingMs = 15_000;

/** How long a password must be, as a predicate of the field. */
export const passwordLengthRule = `must be ${shortest} to ${longest} characters`;

/** Why a new password is not taken, as a predicate of the field; undefined when it is. */
export function passwordRefusal(password: string, username: string): string | undefined {
  const length = [...password].length;
  if (length < shortest || length > longest) return passwordLengthRule;
  if (!password.isWellFormed()) return 'must be well-formed Unicode';
  const folded = fold(password);
  if (folded === fold(username)) return 'must not be the username';
  if (commonPasswords().has(folded)) return 'is one that many people use: it would be guessed soon';
  return undefined;
}

/** What looks the same is as easy to guess. */
const fold = (text: string): string => text.normalize('NFKC').toLowerCase();

let common: Set<string> | undefined;

/** common-passwords.txt, read when the first password is chosen. */
function commonPasswords(): Set<string> {
  common ??= new Set(
    readFileSync(new URL('./common-passwords.txt', import.meta.url), 'utf8')
      .split('\n')
      .map(fold),
  );
  return common;
}
