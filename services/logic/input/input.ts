// Room: checks of requests, shared by all rooms of logic. Pure functions: they call no other service.

import {
  canonicalPictureAddress,
  canonicalPictureElsewhere,
  pictureAddressRule,
  pictureElsewhereRule,
} from '../../../lib/domain/addresses.ts';
import { isLonger } from '../../../lib/domain/limits.ts';
import { canonicalName, isUsername, nameRule, usernameRule } from '../../../lib/domain/names.ts';
import { passwordRefusal } from '../../../lib/domain/passwords.ts';
import { invalid } from '../../../lib/domain/refusals.ts';
import { canonicalLocale } from '../../../lib/domain/user-settings.ts';

/** Checks of fields in requests. Each throws INVALID_ARGUMENT with the field's name. */

export function checkUsername(username: string): void {
  if (!isUsername(username)) throw invalid('username', usernameRule);
}

/** Checks a new password of the user with this username. */
export function checkPassword(password: string, username: string, path = 'password'): void {
  const refusal = passwordRefusal(password, username);
  if (refusal) throw invalid(path, refusal);
}

/** Checks the name of a person or group, and answers it as it is stored. */
export function checkName(path: string, text: string, longest: number): string {
  const name = canonicalName(text, longest);
  if (name === undefined) throw invalid(path, nameRule(longest));
  return name;
}

/** Checks the address of a picture, and answers it as it is stored. */
export function checkPicture(path: string, text: string): string {
  const address = canonicalPictureAddress(text);
  if (address === undefined) throw invalid(path, pictureAddressRule);
  return address;
}

/** The same for a picture of somebody who has no account yet, and so no uploaded file. */
export function checkPictureElsewhere(path: string, text: string): string {
  const address = canonicalPictureElsewhere(text);
  if (address === undefined) throw invalid(path, pictureElsewhereRule);
  return address;
}

/** Applies a check to a field that may be missing. */
export const ifGiven = <T>(text: string | undefined, check: (text: string) => T): T | undefined =>
  text === undefined ? undefined : check(text);

/** Checks a text of up to `longest` characters (Unicode code points), which is stored unchanged. */
export function checkText(path: string, text: string | undefined, longest: number): void {
  if (text === undefined) return;
  if (isLonger(text, longest)) throw invalid(path, `must be at most ${longest} characters`);
  if (!text.isWellFormed()) throw invalid(path, 'must be well-formed Unicode');
}

export function checkOneOf(path: string, value: string | undefined, choices: readonly string[]): void {
  if (value === undefined || choices.includes(value)) return;
  throw invalid(path, `must be one of ${choices.join(', ')}`);
}

/** Checks a language tag, and answers its canonical form. An empty one resets the user's choice. */
export function checkLocale(locale: string | undefined): string | undefined {
  if (locale === undefined || locale === '') return locale;
  const canonical = canonicalLocale(locale);
  if (canonical === undefined) throw invalid('locale', 'must be a BCP 47 language tag');
  return canonical;
}
