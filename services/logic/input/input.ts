// Room: checks of what callers give, shared by all rooms. It calls nobody.

import { isLonger } from '../../../lib/domain/limits.ts';
import { canonicalName, isUsername, nameRule, usernameRule } from '../../../lib/domain/names.ts';
import { passwordRefusal } from '../../../lib/domain/passwords.ts';
import { invalid } from '../../../lib/domain/refusals.ts';
import { canonicalLocale } from '../../../lib/domain/user-settings.ts';
import { canonicalPictureAddress, pictureAddressRule } from '../../../lib/domain/web-address.ts';

/** Checks of what callers give. Each throws INVALID_ARGUMENT naming the field. */

export function checkUsername(username: string): void {
  if (!isUsername(username)) throw invalid('username', usernameRule);
}

/** A new password for somebody of that name. */
export function checkPassword(password: string, username: string, path = 'password'): void {
  const refusal = passwordRefusal(password, username);
  if (refusal) throw invalid(path, refusal);
}

/** The name of a person or group, as it is stored. */
export function checkName(path: string, text: string, longest: number): string {
  const name = canonicalName(text, longest);
  if (name === undefined) throw invalid(path, nameRule(longest));
  return name;
}

/** The address of a picture, as it is stored. */
export function checkPicture(path: string, text: string): string {
  const address = canonicalPictureAddress(text);
  if (address === undefined) throw invalid(path, pictureAddressRule);
  return address;
}

/** The same of what may be left out. */
export const ifGiven = <T>(text: string | undefined, check: (text: string) => T): T | undefined =>
  text === undefined ? undefined : check(text);

/** Text of up to `longest` characters (Unicode code points) that comes back as it was given. */
export function checkText(path: string, text: string | undefined, longest: number): void {
  if (text === undefined) return;
  if (isLonger(text, longest)) throw invalid(path, `must be at most ${longest} characters`);
  if (!text.isWellFormed()) throw invalid(path, 'must be well-formed Unicode');
}

export function checkOneOf(path: string, value: string | undefined, choices: readonly string[]): void {
  if (value === undefined || choices.includes(value)) return;
  throw invalid(path, `must be one of ${choices.join(', ')}`);
}

/** A language tag in its canonical form; an empty one takes the choice back. */
export function checkLocale(locale: string | undefined): string | undefined {
  if (locale === undefined || locale === '') return locale;
  const canonical = canonicalLocale(locale);
  if (canonical === undefined) throw invalid('locale', 'must be a BCP 47 language tag');
  return canonical;
}
