// Room: checks of what callers give, shared by all rooms. It calls nobody.

import { attachmentFault } from '../../../lib/domain/attachment.ts';
import { isId, isIdNumber } from '../../../lib/domain/ids.ts';
import { limits } from '../../../lib/domain/limits.ts';
import { canonicalName, isUsername, nameRule, usernameRule } from '../../../lib/domain/names.ts';
import { passwordRefusal } from '../../../lib/domain/passwords.ts';
import { invalid } from '../../../lib/domain/refusals.ts';
import { canonicalLocale } from '../../../lib/domain/user-settings.ts';
import { canonicalPictureAddress, pictureAddressRule } from '../../../lib/domain/web-address.ts';
import { GoChatError } from '../../../lib/errors.ts';

/** Checks of what callers give. Each throws INVALID_ARGUMENT naming the field. */

export function checkUsername(username: string): void {
  if (!isUsername(username)) {
    throw invalid('username', usernameRule);
  }
}

/** A new password for somebody of that name. */
export function checkPassword(password: string, username: string, path = 'password'): void {
  const refusal = passwordRefusal(password, username);
  if (refusal) throw invalid(path, refusal);
}

/** The name of a person or group, as it is stored. */
export function checkName(path: string, text: string, longest: number): string {
  const name = canonicalName(text, longest);
  if (name === undefined) {
    throw invalid(path, nameRule(longest));
  }
  return name;
}

/** The address of a picture, as it is stored. */
export function checkPicture(path: string, text: string): string {
  const address = canonicalPictureAddress(text);
  if (address === undefined) {
    throw invalid(path, pictureAddressRule);
  }
  return address;
}

/** The same of what may be left out. */
export const ifGiven = <T>(text: string | undefined, check: (text: string) => T): T | undefined =>
  text === undefined ? undefined : check(text);

/** Text of up to `longest` characters (Unicode code points) that comes back as it was given. */
export function checkText(path: string, text: string | undefined, longest: number, shortest = 0): void {
  if (text === undefined) return;
  const length = codePoints(text);
  if (length < shortest) throw invalid(path, 'must not be empty');
  if (length > longest) throw invalid(path, `must be at most ${longest} characters`);
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

/** What makes a message's own fields unacceptable, whoever sends it where; undefined when nothing does. */
export function refusalOf(message: {
  content: string;
  clientMsgId: string;
  messageType: number;
  replyToSeqId?: number | undefined;
  mentions?: readonly string[] | undefined;
}): GoChatError | undefined {
  const { content, clientMsgId, messageType, replyToSeqId, mentions } = message;
  if (clientMsgId === '' || Buffer.byteLength(clientMsgId) > limits.clientMsgIdBytes) {
    return invalid('clientMsgId', `must be 1 to ${limits.clientMsgIdBytes} bytes`);
  }
  if (!clientMsgId.isWellFormed()) return invalid('clientMsgId', 'must be well-formed Unicode');
  if (messageType !== 1 && messageType !== 2 && messageType !== 3) {
    return invalid('messageType', 'must be 1 (text), 2 (image) or 3 (file)');
  }
  if (content === '') return invalid('content', 'must not be empty');
  // Counting code points takes a walk over the text: most texts are short enough however they are counted.
  if (content.length > limits.messageContent && codePoints(content) > limits.messageContent) {
    return new GoChatError('MESSAGE_TOO_LARGE', `A message has at most ${limits.messageContent} characters.`);
  }
  if (!content.isWellFormed()) return invalid('content', 'must be well-formed Unicode');
  const fault = messageType === 1 ? undefined : attachmentFault(content);
  if (fault) return invalid(fault.path, fault.message);
  if (replyToSeqId !== undefined && !isIdNumber(replyToSeqId)) {
    return invalid('replyToSeqId', 'must be a seq id');
  }
  if (mentions !== undefined) {
    if (mentions.length > limits.mentions) {
      return invalid('mentions', `must name at most ${limits.mentions} users`);
    }
    if (!mentions.every(isId)) return invalid('mentions', 'must be user ids');
  }
  return undefined;
}

function codePoints(text: string): number {
  let count = 0;
  for (const _ of text) count += 1;
  return count;
}
